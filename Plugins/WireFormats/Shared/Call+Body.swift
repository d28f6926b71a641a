import Codecs
import ProviderKit

extension Call {
    /// The model's name as JSON.
    var encodedModel: [UInt8] {
        var writer = JSONWriter(capacity: model.utf8.count + 2)
        writer.string(model)
        return writer.bytes
    }
}

extension [BodySource] {
    /// The sources as one piece, where the client's ranges are ranges of `body`.
    func joined(of body: [UInt8]) -> [UInt8] {
        reduce(into: []) { joined, source in
            switch source {
            case .bytes(let bytes): joined += bytes
            case .client(let range): joined += body[range]
            }
        }
    }
}
