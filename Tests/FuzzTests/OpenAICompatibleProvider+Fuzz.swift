import ConfigTree
import OpenAICompatible
import ProviderKit

extension Provider where Self == OpenAICompatibleProvider {
    /// A provider in OpenAI's format.
    static var openAI: OpenAICompatibleProvider { provider }
}

private let provider: OpenAICompatibleProvider = {
    let start = SourcePosition(file: "routes.yaml", line: 1, column: 1)
    let url = ConfigEntry(
        key: ConfigText("base_url", at: start), value: ConfigNode(.scalar(ConfigScalar("http://127.0.0.1:1/v1")), at: start))
    var fields = FieldReader([url], at: start)
    guard let options = OpenAICompatiblePlugin.readOptions(&fields) else { preconditionFailure("\(fields.issues)") }
    return OpenAICompatibleProvider(options)
}()
