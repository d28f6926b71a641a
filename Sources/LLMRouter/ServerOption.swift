import ArgumentParser
import ConfigTree
import ProviderKit

/// The address of a running router, for the commands that ask one.
struct ServerOption: ParsableArguments {
    /// The environment variable with the admin key: a command line is visible to every user of the machine.
    static let keyVariable = "ROUTER_ADMIN_KEY"
    static let defaultAddress = "http://127.0.0.1:8080"

    @Option(
        help: ArgumentHelp(
            "Ask a running router at this address, such as \(ServerOption.defaultAddress). If its policy has keys, \(ServerOption.keyVariable) is an admin key.",
            valueName: "url"))
    var server: String?

    func validate() throws { _ = try url }

    /// The address, by default that of the example policy on this machine.
    var url: BaseURL {
        get throws {
            let text = server ?? Self.defaultAddress, place = SourcePosition(file: "--server", line: 1, column: 1)
            let entry = ConfigEntry(
                key: ConfigText("server", at: place), value: ConfigNode(.scalar(ConfigScalar(text, style: .quoted)), at: place))
            var fields = FieldReader([entry], at: place)
            if let url = fields.baseURL("server") { return url }
            let issue = fields.issues.first
            throw ValidationError([issue?.message ?? "'--server' takes an address", issue?.hint].compactMap { $0 }.joined(separator: "; "))
        }
    }
}
