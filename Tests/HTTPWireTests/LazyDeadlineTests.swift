import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPWire

struct LazyDeadlineTests {
    private final class Log { var times: [Int64] = [] }

    @Test("the action runs once, at the last deadline that was set")
    func movesAndFires() {
        let loop = EmbeddedEventLoop()
        let log = Log()
        let start = loop.now
        let timer = LazyDeadline(eventLoop: loop) { log.times.append(($0 - start).nanoseconds / 1_000_000_000) }
        timer.set(start + .seconds(10))
        loop.advanceTime(by: .seconds(9))
        timer.set(start + .seconds(30))
        loop.advanceTime(by: .seconds(20))
        #expect(log.times.isEmpty)
        loop.advanceTime(by: .seconds(30))
        #expect(log.times == [30])
    }

    @Test("setEarlier moves the deadline only to an earlier time")
    func earlier() {
        let loop = EmbeddedEventLoop()
        let log = Log()
        let start = loop.now
        let timer = LazyDeadline(eventLoop: loop) { log.times.append(($0 - start).nanoseconds / 1_000_000_000) }
        timer.set(start + .seconds(60))
        timer.setEarlier(start + .seconds(2))
        timer.setEarlier(start + .seconds(40))
        loop.advanceTime(by: .seconds(2))
        #expect(log.times == [2])
        timer.set(nil)
        loop.advanceTime(by: .seconds(100))
        #expect(log.times == [2])
    }
}
