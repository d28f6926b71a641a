import Testing

@testable import Engine

@Suite("the watch over loaded plugins")
struct PluginWatchTests {
    private let watch = PluginWatch(loops: 2)
    private let start = ContinuousClock.now

    private func check(_ milliseconds: Int) -> [PluginWatch.Finding] { watch.check(at: start + .milliseconds(milliseconds)) }

    @Test("a call that takes a second is found once, and again when it has ended")
    func long() {
        let owner = watch.add(plugin: "p", provider: "a")
        watch.marks[1].begin(.decode, of: owner)
        #expect(check(0) == [])
        #expect(check(900) == [])
        var finding = PluginWatch.Finding(plugin: "p", provider: "a", hook: "decode(_:into:)", duration: .milliseconds(1200), isOver: false)
        #expect(check(1200) == [finding])
        #expect(check(5000) == [])
        watch.marks[1].end()
        (finding.duration, finding.isOver) = (.milliseconds(6000), true)
        #expect(check(6000) == [finding])
        #expect(check(9000) == [])
    }

    @Test("short calls of the same method are not taken for a long one")
    func short() {
        let owner = watch.add(plugin: "p", provider: "a")
        for time in stride(from: 0, to: 5000, by: 250) {
            watch.marks[0].begin(.request, of: owner)
            #expect(check(time) == [])
            watch.marks[0].end()
        }
    }

    @Test("every method and property has a name of its own")
    func names() {
        let names = PluginWatch.Hook.allCases.map(\.name)
        #expect(Set(names).count == names.count && Set(names).isSuperset(of: ["canContinue", "origin", "authentication", "secrets"]))
    }

    @Test("each event loop has its own calls")
    func loops() {
        let owners = ["a", "b"].map { watch.add(plugin: "p", provider: $0) }
        watch.marks[0].begin(.request, of: owners[0])
        watch.marks[1].begin(.finish, of: owners[1])
        #expect(check(0) == [])
        #expect(check(1500).map(\.provider) == ["a", "b"])
    }
}
