import OpenAICompatible
import ProviderKit

/// A refusal keeps its status, has a message and a class that an upstream can cause, and a wait is not negative.
///
/// The first byte chooses the status, and the rest of its line is the field `retry-after`.
func checkOpenAIError(_ bytes: [UInt8]) throws {
    guard let first = bytes.first else { return }
    let status = statuses[Int(first) % statuses.count]
    let line = bytes.dropFirst().prefix { $0 != 0x0A }
    let wait = String(decoding: line.filter { $0 >= 0x20 }, as: UTF8.self)
    let head = UpstreamHead(status: status, fields: wait.isEmpty ? [] : [HTTPField("retry-after", wait)])
    let body = Array(bytes.dropFirst(line.count + 2))
    let error = OpenAICompatibleProvider.openAI.failure(head: head, body: body.span.bytes)
    try ensure(error.status == status, "its status is \(String(describing: error.status)), not \(status)")
    try ensure(!error.message.isEmpty, "it has no message")
    try ensure(![.unreachable, .reset, .invalidJSON, .routerLimit, .cancelled].contains(error.failure), "its class is \(error.failure)")
    try ensure(error.retryAfter ?? .zero >= .zero, "it asks to wait for \(String(describing: error.retryAfter))")
}

private let statuses = [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529]
