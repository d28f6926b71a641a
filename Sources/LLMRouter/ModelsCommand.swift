import ArgumentParser
import ConfigTree
import Engine
import Gateway
import HTTPWire
import Logging
import NIOPosix
import ProviderKit
import RoutingPolicy
import Telemetry

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Works with the lists of models that providers have.", subcommands: [SyncModelsCommand.self])
}

struct SyncModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Prints a models file from a provider's own list, or updates one.",
        discussion: """
            The file has one line for each model, with what the list says: operations, capabilities, context and prices. Include it in the \
            policy file: 'include: [models.yaml]'. An update replaces the lines that an earlier one has written and nobody has changed; \
            all other lines stay, and what the policy defines otherwise is left out, as are models whose end the list says has come.
            Exit status: 0 done, 1 the policy or the file has errors, or the list can't be fetched or is empty, 2 bad usage.
            """)

    @Argument(help: "The name of a provider under 'providers' of the policy.")
    var provider: String

    @OptionGroup var policy: PolicyArgument

    @Flag(help: "Only models that cost nothing.")
    var free = false

    @Option(help: ArgumentHelp("The file to write or to update, instead of standard output.", valueName: "file.yaml"))
    var write: String?

    func run() async throws {
        // The first models of a policy may be those of the file that this writes.
        let policy = try PolicyFile.policy(self.policy, needsModels: false, orExit: 1)
        guard let index = policy.providers.firstIndex(where: { $0.name == provider }) else {
            let near =
                nearest(to: provider, in: policy.providers.map(\.name)).map { "did you mean '\($0)'?" } ?? "use a name under 'providers'"
            throw ValidationError("'\(self.policy.path)' has no provider '\(provider)'; \(near)")
        }
        if let message = policy.providers[index].offMessage { throw Failure("\(message); set it") }
        let list = try await ProviderList.fetch(index, of: policy)
        // Otherwise a provider's mishap would remove the models of a file.
        guard !list.isEmpty else { throw Failure("the list of '\(provider)' is empty\(write.map { "; '\($0)' is not changed" } ?? "")") }
        let now = Double(Timestamp.seconds()), ended = list.filter { $0.servedUntil ?? .infinity <= now }
        let models = list.filter { ($0.servedUntil ?? .infinity > now) && (!free || $0.price?.isFree == true) }
        let existing = try write.flatMap { try FileText.existing($0) }
        let file: ModelFile
        do throws(ConfigIssue) {
            file = try ModelFile(models, of: policy.providers[index], in: policy, updating: existing, path: write ?? "")
        } catch {
            throw Failure("\(error.position): \(error.message)\(error.hint.map { "; \($0)" } ?? "")")
        }
        if let write {
            if existing.map({ !$0.elementsEqual(file.text.utf8) }) ?? true { try FileText.replace(write, with: file.text) }
            Console.error("\(write): \(file.count) models, \(file.added) added, \(file.updated) updated, \(file.removed) removed")
        } else {
            Console.out(file.text)
        }
        if !ended.isEmpty {
            Console.error("left out, because the provider has ended them: \(Self.names(ended.map(\.id)))")
        }
        if file.defined > 0 { Console.error("\(file.defined) left out, because the policy defines them otherwise") }
        if !file.unusable.isEmpty {
            Console.error(
                "left out, because the plugin serves none of their operations, or the name can't be one here: "
                    + Self.names(file.unusable))
        }
    }

    private static func names(_ names: [String]) -> String {
        names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
    }
}

/// Fetches a provider's own list of models.
private enum ProviderList {
    /// - Parameter provider: an index into the policy's providers.
    static func fetch(_ provider: Int, of policy: RoutingPolicy) async throws -> [ListedModel] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let snapshot = Snapshot.provision(policy, over: nil, at: 0)
        let tls = TLSContextProvider(settings: .ofEnvironment)
        let engine = Engine(
            eventLoops: Array(group.makeIterator()), snapshot: snapshot, transport: UpstreamTransport(tls: tls),
            logger: Logger(label: "llm-router models") { _ in SwiftLogNoOpLogHandler() })
        let loop = engine.loops[0], name = policy.providers[provider].name
        let result: Result<[ListedModel]?, any Error>
        do {
            result = .success(
                try await loop.eventLoop.flatSubmit {
                    loop.models(ofProvider: provider, in: snapshot, within: .seconds(60))?.map { $0 }
                        ?? loop.eventLoop.makeSucceededFuture(nil)
                }.get())
        } catch {
            result = .failure(error)
        }
        for case let instance? in snapshot.instances { try? await loop.eventLoop.submit { loop.drop(instance) }.get() }
        try? await group.shutdownGracefully()
        switch result {
        case .success(let models?): return models
        case .success(nil): throw Failure("the plugin '\(policy.providers[provider].plugin)' has no list of models")
        case .failure(let error):
            let message = (error as? ProviderError).map { "\($0.status.map { "\($0) " } ?? "")\($0.message)" } ?? "\(error)"
            throw Failure("the list of '\(name)' can't be fetched: \(snapshot.mask(message))")
        }
    }
}
