import ProviderKit
import WireFormats

extension Face {
    /// OpenAI's API.
    static let openAI = Face(
        name: .openai, bodiesCarryRouting: true,
        members: .openAI,
        requestFields: [],
        responseFields: [],
        passesRefusals: false,
        writeError: { error, _, record, writer in
            writer.object {
                error.write(to: &$0)
                if let record { RouterMetadata.write(record, to: &$0, isComplete: true) }
            }
        },
        writeModels: { list, writer throws(APIError) in
            if let catalog = try CodexModelList(list) { catalog.write(to: &writer) } else { OpenAIModelList.write(list, to: &writer) }
        },
        writeModel: { model, created, writer in OpenAIModelList.write(model, created: created, to: &writer) },
        chatDecoder: { call, head throws(ProviderError) in try OpenAIChat.decoder(for: call, head: head) },
        writer: { exchange, request, _ in
            if request.isStream { return OpenAIStreamWriter(exchange, request) }
            return OpenAIResponseWriter(exchange, wantsData: request.wantsJSON)
        })
}
