import Codecs
import RoutingPolicy

/// The catalog of models that Codex asks for at the same place as others for the list: with its version in the query.
///
/// Codex ignores the catalog that it contains as soon as it gets one. So it gets a 404, unless the policy has
/// `server.codex_catalog`. Source: openai/codex, codex-rs/protocol/src/openai_models.rs, `ModelInfo`.
struct CodexModelList {
    /// The newest version whose catalog is known, without its last number.
    private static let newestVersion = (0, 147)

    private let entries: [ModelEntry]

    /// The catalog; nil if the request asks for the list.
    ///
    /// - Throws: 404 if there is no catalog for the client.
    init?(_ list: ModelList) throws(APIError) {
        guard let field = list.query.split(separator: "&").first(where: { $0.hasPrefix("client_version=") }) else { return nil }
        let version = field.dropFirst("client_version=".count)
        guard list.hasCodexCatalog else {
            throw APIError(
                404, "the router has no catalog of models for Codex; set 'server: { codex_catalog: true }' in the policy for one",
                code: "no_catalog")
        }
        let numbers = version.split(separator: ".").prefix(2).map { Int($0) ?? .max }
        guard numbers.count == 2, (numbers[0], numbers[1]) <= Self.newestVersion else {
            let newest = "\(Self.newestVersion.0).\(Self.newestVersion.1)"
            throw APIError(
                404, "no catalog is known for the version '\(String(version).excerpt)' of Codex; the newest known one is \(newest)",
                code: "no_catalog")
        }
        // A wildcard is no name that a request can have.
        entries = list.entries.filter { $0.serves.contains(.chat) && !ModelDefinition.isWildcard($0.id) }
    }

    func write(to writer: inout JSONWriter) {
        writer.object {
            $0.key("models")
            $0.array { for (index, entry) in entries.enumerated() { Self.write(entry, priority: index, to: &$0) } }
        }
    }

    /// - Parameter priority: the place in Codex's list, from 0.
    private static func write(_ entry: ModelEntry, priority: Int, to writer: inout JSONWriter) {
        let reasons = entry.supports.contains(.reasoning)
        writer.object {
            $0.member("slug", entry.id)
            $0.member("display_name", entry.name)
            $0.member("description", entry.provider == ModelEntry.ownProvider ? "a route of the router" : "a model of \(entry.provider)")
            if reasons { $0.member("default_reasoning_level", "medium") }
            $0.key("supported_reasoning_levels")
            $0.array { if reasons { for (effort, about) in efforts { write(effort, about, to: &$0) } } }
            $0.member("shell_type", "shell_command")
            $0.member("visibility", "list")
            $0.key("minimal_client_version")
            $0.array { for number in [0, 60, 0] { $0.integer(number) } }
            $0.member("supported_in_api", true)
            $0.member("priority", priority)
            $0.key("upgrade")
            $0.null()
            $0.member("base_instructions", instructions)
            $0.member("supports_reasoning_summaries", reasons)
            $0.member("support_verbosity", false)
            $0.key("default_verbosity")
            $0.null()
            $0.member("apply_patch_tool_type", "freeform")
            $0.key("truncation_policy")
            $0.object {
                $0.member("mode", "bytes")
                $0.member("limit", 10_000)
            }
            $0.member("supports_parallel_tool_calls", true)
            if let context = entry.context { $0.member("context_window", context) }
            $0.key("experimental_supported_tools")
            $0.array { _ in }
            $0.key("input_modalities")
            $0.array {
                $0.string("text")
                if entry.supports.contains(.image) { $0.string("image") }
            }
        }
    }

    private static func write(_ effort: String, _ about: String, to writer: inout JSONWriter) {
        writer.object {
            $0.member("effort", effort)
            $0.member("description", about)
        }
    }

    private static let efforts = [("low", "responds fast"), ("medium", "reasons when it helps"), ("high", "reasons in depth")]

    /// What Codex sends as its `instructions`, which must not be empty.
    private static let instructions = """
        You are a coding agent in the user's terminal. You work in a folder of the user's machine with the tools that you have.

        - Read before you change: search the code, and look at the files that matter.
        - Make the smallest change that solves the whole task, in the style of the code around it. Don't fix what you weren't asked to.
        - Change files with the tool `apply_patch` if you have it. Never undo changes that you didn't make.
        - Run the tests or the program where that is possible, and say what you could not check.
        - Continue until the task is done. Ask only if you can't find out yourself.
        - Respond briefly and plainly. At the end say what you changed and where.
        """
}
