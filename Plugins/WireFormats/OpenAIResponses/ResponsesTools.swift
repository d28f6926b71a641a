import Codecs
import ProviderKit

/// A tool that the client runs, and the function that stands for it in other formats.
struct ResponsesTool: Sendable, Equatable {
    enum Kind: Sendable {
        case function
        /// A function of one text, which this format doesn't wrap in JSON. Codex patches files with one.
        case custom
        /// The client's shell, which has no name here.
        case localShell
    }

    var kind: Kind
    var name: String
    /// The group of functions that it belongs to; nil if there is none. Codex has one for each MCP server.
    var namespace: String?

    init(_ kind: Kind, _ name: String, namespace: String? = nil) {
        self.kind = kind
        self.name = name
        self.namespace = namespace
    }

    static let localShell = ResponsesTool(.localShell, "local_shell")

    /// The name of the function.
    var functionName: String { namespace.map { "\($0)__\(name)" } ?? name }
}

/// The tools of a request.
///
/// Tools that OpenAI runs itself are left out, because no other provider can. Those that the client runs in a way that
/// is not known here are refused. Source: the SDK's `ToolParam`.
struct ResponsesTools: Sendable {
    /// The functions that stand for the tools.
    private(set) var functions: [ChatTool] = []
    private var tools: [String: ResponsesTool] = [:]

    /// The tools that OpenAI runs, as the beginnings of their types, which may end with a date.
    private static let ownTypes = [
        "web_search", "file_search", "code_interpreter", "image_generation", "mcp", "tool_search", "programmatic_tool_calling",
    ]

    /// - Parameter value: the value of `tools`.
    init(_ value: RequestValue?) throws(ProviderError) {
        for tool in try value?.elements() ?? [] { try add(tool, namespace: nil) }
    }

    /// Reads the tools of a body whose request was read before.
    init(of body: JSONTree) {
        guard let list = body["tools"], let tools = try? ResponsesTools(RequestValue(list, "tools")) else { return }
        self = tools
    }

    /// The tool that a function stands for. A function that the request doesn't have is itself.
    func tool(ofFunction name: String) -> ResponsesTool { tools[name] ?? ResponsesTool(.function, name) }

    private mutating func add(_ tool: RequestValue, namespace: String?) throws(ProviderError) {
        let type = try tool.required("type").text()
        switch type {
        case "function":
            let known = ResponsesTool(.function, try tool.required("name").text(), namespace: namespace)
            add(
                known,
                ChatTool(
                    name: known.functionName, description: try tool["description"]?.text(), parameters: tool["parameters"]?.encoded,
                    isStrict: try tool["strict"]?.bool()))
        case "custom":
            let known = ResponsesTool(.custom, try tool.required("name").text(), namespace: namespace)
            add(
                known,
                ChatTool(
                    customNamed: known.functionName, description: try tool["description"]?.text(),
                    grammar: try ChatGrammar.read(tool["format"])))
        case "local_shell":
            add(
                .localShell,
                ChatTool(
                    name: ResponsesTool.localShell.functionName, description: "Runs a command on the user's machine.",
                    parameters: Self.shellSchema))
        case "namespace":
            let name = try tool.required("name").text()
            for inner in try tool.required("tools").elements() { try add(inner, namespace: name) }
        default:
            guard Self.ownTypes.contains(where: { type.hasPrefix($0) }) else {
                throw .cannotExpress("a tool of the type '\(type.prefix(64))'")
            }
        }
    }

    private mutating func add(_ tool: ResponsesTool, _ function: ChatTool) {
        functions.append(function)
        tools[function.name] = tool
    }

    /// Source: the SDK's `LocalShellCallAction`.
    private static let shellSchema = Array(
        (#"{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"}},"working_directory":{"type":"string"},"#
            + #""timeout_ms":{"type":"integer"},"env":{"type":"object","additionalProperties":{"type":"string"}},"#
            + #""user":{"type":"string"}},"required":["command"]}"#).utf8)
}
