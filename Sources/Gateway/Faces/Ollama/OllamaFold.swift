import Codecs
import Engine
import HTTPWire
import ProviderKit
import Telemetry
import WireFormats

/// A response as one object in Ollama's format: a message, or vectors.
struct OllamaFold: ResponseFold {
    private let format: WireFormat
    private let model: String
    private var message: OllamaMessageWriter
    private var vectors: EmbeddingsResponse?

    init(_ format: WireFormat, model: String) {
        self.format = format
        self.model = model
        message = OllamaMessageWriter(format, model: model)
    }

    mutating func add(_ event: ChatEvent) { message.add(event) }

    mutating func add(_ response: EmbeddingsResponse) { vectors = response }

    func object(_ usage: Usage?, _ record: CallRecord?) throws(ProviderError) -> [UInt8] {
        let durations = OllamaDurations(record)
        if let vectors { return OllamaEmbed.writeResponse(vectors, format, model: model, usage: usage, durations) }
        return try message.object(usage, durations, at: Timestamp.now().allMilliseconds)
    }

    static func texts(of object: RawSpan) -> [Range<Int>] {
        var texts: [Range<Int>] = []
        for member in (try? JSON.members(of: object)) ?? [] {
            if member.value.kind == .string, JSON.isKey(member.key, "response", in: object) { texts.append(member.value.range) }
            guard member.value.kind == .object, JSON.isKey(member.key, "message", in: object) else { continue }
            let start = member.value.range.lowerBound, message = object.extracting(member.value.range)
            for member in (try? JSON.members(of: message)) ?? [] where JSON.isKey(member.key, "content", in: message) {
                guard member.value.kind == .string else { continue }
                texts.append(start + member.value.range.lowerBound..<start + member.value.range.upperBound)
            }
        }
        return texts
    }

    /// Ollama has no filter, and so no word for one.
    func addFields(to head: inout ResponseHead) {
        if message.finishReason == .contentFilter { head.add("x-router-finish-reason", FinishReason.contentFilter.rawValue) }
    }
}

extension OllamaDurations {
    /// - Parameter record: of a call that has ended; nil: unknown.
    init(_ record: CallRecord?) {
        self.init(
            total: (record?.totalTime ?? .zero).wholeNanoseconds, prompt: (record?.firstByteTime ?? .zero).wholeNanoseconds)
    }
}

extension Duration {
    fileprivate var wholeNanoseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    }
}
