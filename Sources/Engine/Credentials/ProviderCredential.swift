import Codecs
import Crypto
import HTTPWire
import NIOCore
import ProviderKit

/// A credential of a running provider.
enum ProviderCredential: Sendable {
    case field(HTTPField)
    case tokenFile(TokenFile)
    case signature(AWSCredential)

    init(_ credential: Credential) {
        switch credential {
        case .field(let field): self = .field(field)
        case .tokenFile(let path): self = .tokenFile(TokenFile(path: path))
        case .signature(let key): self = .signature(key)
        }
    }

    /// Whether all requests have the same fields.
    var isFixed: Bool { if case .field = self { true } else { false } }

    /// The fields that authenticate a request.
    func fields(for request: UpstreamRequest, _ authority: String, _ clientBody: RequestBody) throws(ProviderError) -> [(String, String)] {
        switch self {
        case .field(let field): return [field.revealed]
        case .tokenFile(let file): return [("authorization", "Bearer \(try file.token(now: .now()).reveal())")]
        case .signature(let key):
            let type = request.fields.first { $0.name.lowercased() == "content-type" }?.revealed.1
            return AWSSignature(key, at: Int(WallClock.seconds)).fields(
                method: request.method, host: authority, target: request.target, contentType: type,
                bodyHash: try Self.hash(request.body, clientBody))
        }
    }

    private static func hash(_ sources: [BodySource], _ clientBody: RequestBody) throws(ProviderError) -> [UInt8] {
        guard clientBody.file == nil else { throw .cannotExpress("a signature of a file") }
        var hash = SHA256()
        for source in sources {
            switch source {
            case .bytes(let bytes): hash.update(data: bytes)
            case .client(let range):
                clientBody.bytes.withUnsafeReadableBytes {
                    hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[range.clamped(to: $0.indices)]))
                }
            }
        }
        return Array(hash.finalize())
    }
}
