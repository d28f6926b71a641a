import ArgumentParser
import Engine
import Gateway
import ProviderKit
import RoutingPolicy

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Shows what a reload from one policy file to another would change, and whose requests would go elsewhere.",
        discussion: """
            Without --requests these are compared: for each route a plain request, one with an image and one with tools; for each visible model a plain one. \
            Random orders draw by the same seed on both sides.
            Exit status: 0 no difference, 1 differences, 2 bad usage or a bad file.
            """)

    @Argument(help: "The policy file as it is.", completion: .file(extensions: ["yaml", "yml"]))
    var old: String

    @Argument(help: "The policy file as it shall be.", completion: .file(extensions: ["yaml", "yml"]))
    var new: String

    @Option(help: ArgumentHelp("Chat requests to compare, one a line.", valueName: "file.jsonl"))
    var requests: String?

    func run() throws {
        let before = Snapshot.provision(try PolicyFile.policy(old, orExit: 2), over: nil, at: 0)
        let after = Snapshot.provision(try PolicyFile.policy(new, orExit: 2), over: nil, at: 0)
        let samples = if let requests { try SampleRequest.read(requests) } else { SampleRequest.all(of: [before.policy, after.policy]) }
        var lines = PolicyDifference.words(from: before.policy, to: after.policy, draining: [:])
        for sample in samples {
            let was = sample.course(in: before), now = sample.course(in: after)
            guard was != now else { continue }
            let isClear = was.words != now.words
            lines.append("\(sample.label): \(isClear ? was.words : was.fullWords) -> \(isClear ? now.words : now.fullWords)")
        }
        for line in lines { Console.out(line) }
        if !lines.isEmpty { throw ExitCode(1) }
    }
}
