extension Face {
    /// OpenAI's API.
    static let openAI = Face(
        bodiesCarryRouting: true,
        members: .openAI,
        requestFields: [],
        responseFields: [],
        passesRefusals: false,
        writeError: { error, _, writer in error.write(to: &writer) },
        writeModels: { list, writer throws(APIError) in OpenAIModelList.write(list, to: &writer) },
        writeModel: { model, created, writer in OpenAIModelList.write(model, created: created, to: &writer) },
        writer: { exchange, request, created in
            if request.isStream { return OpenAIStreamWriter(exchange, request, created: created) }
            return OpenAIResponseWriter(exchange, request, created: created)
        })
}
