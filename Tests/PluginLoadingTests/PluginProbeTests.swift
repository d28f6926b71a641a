import Glibc
import RoutingPolicy
import TestSupport
import Testing

@testable import PluginLoading

/// The router's program loads the libraries here: in this process, some would end the tests.
@Suite("trying a library in another process")
struct PluginProbeTests {
    private let probe: PluginProbe

    init() throws { probe = PluginProbe(program: try #require(RouterBinary.path)) }

    private func check(_ bytes: [UInt8], _ probe: PluginProbe? = nil) throws(PluginProblem) -> String? {
        try (probe ?? self.probe).check(try PrivateCopy(bytes, name: "x.so"))
    }

    @Test("a library that works passes", arguments: ["none----", "outputs-"])
    func works(fault: String) throws {
        #expect(try check(try MisbehavingLibrary.bytes(fault: fault)) == nil)
        #expect(try check(try EchoLibrary.bytes()) == nil)
    }

    @Test(
        "a plugin that ends the process is refused, with how and where",
        arguments: [
            ("entry---", "in 'llm_router_plugin'; it says 'MisbehavingProvider/MisbehavingPlugin.swift"),
            ("options-", "in 'readOptions(_:)'; it says"), ("provider", "in 'makeProvider(_:)'; it says"),
            ("property", "while it reads the properties of a provider; it says"),
            ("formats-", "in 'formats(for:model:)'; it says"), ("required", "in 'makeProvider(_:)'; it says"),
            ("exits---", "has ended with the exit status 3 in 'llm_router_plugin'"),
        ])
    func traps(fault: String, words: String) throws {
        let bytes = try MisbehavingLibrary.bytes(fault: fault)
        let error = try #require(throws: PluginProblem.self) { try check(bytes) }
        #expect(error.message.contains(words), "\(error.message)")
        #expect(fault == "exits---" || error.message.contains("has ended with the signal"), "\(error.message)")
    }

    @Test("code that is overwritten is refused", arguments: [0, 0xFF] as [UInt8])
    func damaged(byte: UInt8) throws {
        var bytes = try EchoLibrary.bytes()
        let place = try offsetOfEntryPoint(in: bytes)
        for offset in place..<place + 64 { bytes[offset] = byte }
        let error = try #require(throws: PluginProblem.self) { try check(bytes) }
        #expect(error.message.contains("has ended with the signal") && error.message.contains("in 'llm_router_plugin'"), "\(error.message)")
    }

    private func offsetOfEntryPoint(in bytes: [UInt8]) throws -> Int {
        let copy = try PrivateCopy(bytes, name: "entry.so")
        let symbol = try #require(dlopen(copy.path, RTLD_NOW | RTLD_LOCAL).flatMap { dlsym($0, "llm_router_plugin") })
        let address = Int(bitPattern: symbol), maps = String(decoding: try #require(readFile("/proc/self/maps")), as: UTF8.self)
        // `START-END MODE OFFSET …`, in hexadecimal digits. Source: proc(5).
        for line in maps.split(separator: "\n") where line.hasSuffix(copy.path) {
            let words = line.split(separator: " "), range = words[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            if range.count == 2, range[0]..<range[1] ~= address, let offset = Int(words[2], radix: 16) {
                return address - range[0] + offset
            }
        }
        throw TestFailure("the library isn't mapped", CallSite(#fileID, #line))
    }

    @Test("a plugin that never returns is refused when the time is over")
    func sleeps() throws {
        let bytes = try MisbehavingLibrary.bytes(fault: "sleeps--")
        let impatient = PluginProbe(program: try #require(RouterBinary.path), limit: .seconds(6))
        let error = try #require(throws: PluginProblem.self) { try check(bytes, impatient) }
        #expect(error.message.contains("has taken more than 6 s in 'llm_router_plugin'"), "\(error.message)")
    }

    @Test("the process has no variable and no open file of the router", arguments: ["secrets-", "files---"])
    func inherited(fault: String) throws {
        setenv("PROBE_CANARY", "secret", 1)
        let files = (0..<8).map { _ in open("/dev/null", O_RDONLY) }
        defer { for file in files { close(file) } }
        #expect(try check(try MisbehavingLibrary.bytes(fault: fault)) == nil)
    }

    @Test(
        "without a process, the library is loaded, and says why it had none",
        arguments: [("/none", "no such file or directory"), ("/bin/true", "the process has ended with the exit status 0 before it began")])
    func impossible(program: String, reason: String) throws {
        let bytes = try EchoLibrary.bytes(), folder = try TemporaryFolder()
        try folder.write("plugin.so", bytes)
        chmod("\(folder.path)/plugin.so", 0o600)
        let plugin = try PluginLibraries(probe: PluginProbe(program: program)).load("\(folder.path)/plugin.so", bytes)
        #expect(plugin.name == "echo" && plugin.unprobed == reason)
    }

    @Test("a library that is loaded already is not tried again")
    func once() throws {
        let bytes = try EchoLibrary.bytes(), folder = try TemporaryFolder(), loader = PluginLibraries(probe: probe)
        try folder.write("plugin.so", bytes)
        chmod("\(folder.path)/plugin.so", 0o600)
        let first = try loader.load("\(folder.path)/plugin.so", bytes)
        #expect(first.unprobed == nil)
        #expect(ObjectIdentifier(try loader.load("\(folder.path)/plugin.so", bytes).plugin) == ObjectIdentifier(first.plugin))
    }
}
