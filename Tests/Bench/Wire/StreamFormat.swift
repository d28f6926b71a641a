/// The format of a stream.
enum StreamFormat: String, CaseIterable {
    case openAI = "chat"
    case responses, anthropic, gemini, ollama, bedrock

    /// What a translated stream has on its other side.
    static let hub = StreamFormat.openAI

    /// The translations that are measured, as the formats of the upstream and of the client. A translation reads typed
    /// events in one format and writes them in the other, so each reader and each writer is measured once.
    static let translations =
        allCases.filter { $0 != hub }.map { (from: $0, to: hub) }
        + allCases.filter { $0 != hub && $0 != .bedrock }.map { (from: hub, to: $0) }

    /// How a client tells what the frames of a stream are.
    struct Marks {
        /// What each frame begins with, and what ends it.
        var start: StaticString = "data: "
        var frameEnd: StaticString = "\n\n"
        /// What a frame with a failure begins with.
        var failure: StaticString
        /// What a frame with the finish reason has.
        var finish: StaticString
        /// What the last frame begins with; nil if the frame with the finish reason is the last one.
        var end: StaticString?
        /// What comes before the text of a chunk.
        var text: StaticString
    }

    /// nil if the router has no clients with this format.
    var marks: Marks? {
        switch self {
        case .openAI:
            Marks(failure: "data: {\"error\"", finish: "\"finish_reason\":\"", end: "data: [DONE]", text: "\"content\":\"")
        case .responses:
            Marks(
                start: "event: ", failure: "event: error", finish: "event: response.completed", end: "event: response.completed",
                text: "\"delta\":\"")
        case .anthropic:
            Marks(
                start: "event: ", failure: "event: error", finish: "\"stop_reason\":\"", end: "event: message_stop", text: "\"text\":\"")
        case .gemini: Marks(failure: "data: {\"error\"", finish: "\"finishReason\":\"", text: "\"text\":\"")
        case .ollama: Marks(start: "{", frameEnd: "\n", failure: "{\"error\"", finish: "\"done_reason\":\"", text: "\"content\":\"")
        case .bedrock: nil
        }
    }

    /// What the names of the models begin with whose upstream has the format.
    var modelPrefix: String { self == .openAI ? "" : "\(rawValue)-" }
}
