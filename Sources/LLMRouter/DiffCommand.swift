import ArgumentParser
import Engine
import Gateway
import ProviderKit
import RoutingPolicy

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Shows what a reload would change, and which requests would be routed differently.",
        discussion: """
            One of the two files may be '-' for standard input.
            Compares, for each route, a plain request, one with an image, one with tools and one that meets each condition of its \
            'when', and for each visible model a plain request. --requests compares other requests. Random orders use the same seed \
            on both sides.
            Exit status: 0 no differences, 1 differences, 2 bad usage or a bad file.
            """)

    @Argument(help: "The old policy file.", completion: .file(extensions: ["yaml", "yml"]))
    var old: String

    @OptionGroup var new: PolicyArgument

    @Option(help: ArgumentHelp("The chat requests to compare, one JSON object per line.", valueName: "file.jsonl"))
    var requests: String?

    func validate() throws {
        if new.file == nil, new.config == nil { throw ValidationError("there is no file to compare '\(old)' with; name the new file too") }
        if old == "-", new.path == "-" { throw ValidationError("only one of the two files can be standard input; name the other one") }
    }

    func run() throws {
        let before = Snapshot.provision(try PolicyFile.policy(old, new.environmentFile, orExit: 2), over: nil, at: 0)
        let after = Snapshot.provision(try PolicyFile.policy(new, orExit: 2), over: nil, at: 0)
        let samples = if let requests { try SampleRequest.read(requests) } else { SampleRequest.all(of: [before.policy, after.policy]) }
        var lines = PolicyDifference.words(from: before.policy, to: after.policy, draining: [:])
        for sample in samples {
            let old = sample.outcome(in: before), new = sample.outcome(in: after)
            guard old != new else { continue }
            let isClear = old.summary != new.summary
            lines.append("\(sample.label): \(isClear ? old.summary : old.fullSummary) -> \(isClear ? new.summary : new.fullSummary)")
        }
        let width = Console.width
        for line in lines { Console.out(width.map { line.wrapped(indent: 4, width: $0) } ?? line) }
        if !lines.isEmpty { throw ExitCode(1) }
    }
}
