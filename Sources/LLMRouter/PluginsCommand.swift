import ArgumentParser
import PluginLoading
import ProviderKit
import RoutingPolicy

struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins", abstract: "Lists the provider plugins, or makes the package of a new one.",
        subcommands: [ListPluginsCommand.self, NewPluginCommand.self], defaultSubcommand: ListPluginsCommand.self)
}

struct ListPluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the plugins that are built in, and those that a policy file loads.",
        discussion: """
            A column each: name, version, the kit that it is built for, where it is from, its options. 'llm-router help config \
            providers.NAME' explains the options; with '--policy FILE' also those of the plugins that the file loads.
            Exit status: 0 done, 1 the file has errors, which standard error has, 2 bad usage.
            """)

    @OptionGroup var policy: PolicyArgument

    func run() throws {
        let report = policy.named.map { PolicyFile.report($0, policy.environmentFile, needsModels: false) }
        let loaded = report?.plugins ?? []
        let reference = OptionReference(plugins: Builtins.plugins + loaded.map(\.plugin))
        var rows = Builtins.plugins.map { [$0.name, $0.version ?? Version.text, KitTag.own, "built in"] }
        rows += loaded.map { [$0.name, $0.build, $0.kitTag, Console.printable($0.path)] }
        rows = rows.map { $0 + [reference.options(ofPlugin: $0[0]).joined(separator: " ")] }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            Console.out(
                row.enumerated().map { column, text in
                    column < widths.count ? text + String(repeating: " ", count: widths[column] - text.count) : text
                }.joined(separator: "  "))
        }
        if let report, report.policy == nil {
            Console.error(report.rendered())
            throw ExitCode(1)
        }
    }
}

struct NewPluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Writes the package of a new provider plugin into the current folder.",
        discussion: """
            It is a copy of Examples/EchoProvider under another name, which works as it is. It is built against the sources of this router.
            Exit status: 0 done, 1 it can't be written, 2 bad usage.
            """)

    @Argument(help: "The name of the plugin, as 'plugin:' in a policy: lower-case letters, digits and '-'.")
    var name: String

    @Option(help: ArgumentHelp("The folder with the sources of the router.", valueName: "folder"), completion: .directory)
    var router = "."

    func validate() throws {
        guard LoadedPlugin.isName(name) else {
            throw ValidationError("'\(name)' is no name for a plugin, which has \(LoadedPlugin.nameRule)")
        }
        // 'ProviderPlugin' is the protocol.
        guard name != "provider", !Builtins.plugins.contains(where: { $0.name == name }) else {
            throw ValidationError("the name '\(name)' is taken by the router; use another one")
        }
    }

    func run() throws {
        let package = try PluginPackage(named: name, router: router)
        try package.write()
        Console.out(
            """
            \(package.folder): the package of the plugin '\(name)'. Next:
                cd \(package.folder)
                swift test && swift build -c release
            Then install the library where only root or the router's user can write:
                install -D -m 644 .build/release/lib\(package.folder).so /etc/llm-router/plugins/\(name).so
            and name it in the policy, and reload the router:
                plugins: [/etc/llm-router/plugins/\(name).so]
            """)
    }
}

/// What `PluginProbe` starts.
struct ProbePluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: PluginProbe.command, abstract: "Loads a library as a plugin, for the router that is about to.", shouldDisplay: false)

    @Argument var library: String

    func run() throws { ProbedPlugin.run(library) }
}
