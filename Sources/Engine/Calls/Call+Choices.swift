import Codecs
import ProviderKit

extension Call {
    /// The number of choices in the response, which the policy may change.
    ///
    /// - Parameter asked: the number that the client asks for.
    func choices(asked: Int) -> Int {
        guard !defaults.isEmpty || !overrides.isEmpty else { return asked }
        let set = (defaults + overrides).filter { $0.key == "n" }.compactMap { JSONTree($0.json.span.bytes)?.integer }
        return max(asked, set.max() ?? 1)
    }
}
