import ProviderKit
import Synchronization

/// The mask of a policy's secrets. It is made anew when a token in a file has changed.
final class PolicyMask: Sendable {
    private struct Made {
        var tokens: [Secret]
        var mask: SecretMask
    }

    private let secrets: [Secret]
    private let files: [TokenFile]
    /// Without the tokens in files.
    private let fixed: SecretMask
    private let made: Mutex<Made>

    init(_ secrets: [Secret], _ files: [TokenFile]) {
        self.secrets = secrets
        self.files = files
        fixed = SecretMask(secrets)
        made = Mutex(Made(tokens: [], mask: fixed))
    }

    var current: SecretMask {
        if files.isEmpty { return fixed }
        let tokens = files.flatMap(\.known)
        return made.withLock { made in
            if made.tokens != tokens { made = Made(tokens: tokens, mask: SecretMask(secrets + tokens)) }
            return made.mask
        }
    }
}
