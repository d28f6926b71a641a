import ProviderKit
import Testing

@testable import RoutingPolicy

@Suite struct CaseSetTests {
    private enum Letter: CaseIterable {
        case a, b, c
    }

    private typealias Letters = CaseSet<Letter>

    @Test func `a set has the cases that were inserted and not removed, in the order of the enum`() {
        var set: Letters = [.c, .a, .c]
        #expect(Array(set) == [.a, .c] && set == Letters([Letter.a, .c]))
        set.insert(.b)
        set.remove(.a)
        #expect(Array(set) == [.b, .c] && !set.contains(.a) && !set.isEmpty)
        #expect(Letters().isEmpty && Array(Letters()) == [])
    }

    @Test func `sets are combined and compared case by case`() {
        let all = Letters(Letter.allCases)
        for first in Letter.allCases {
            #expect(all.isSuperset(of: [first]) && !Letters().isSuperset(of: [first]))
            for second in Letter.allCases {
                #expect(Array(Letters([first]).union([second])) == Letter.allCases.filter { $0 == first || $0 == second })
                #expect(Letters([first]).isDisjoint(with: [second]) == (first != second))
                #expect(Letters([first]).isSuperset(of: [second]) == (first == second))
            }
        }
    }

    @Test func `every capability and every operation has a bit of its own, in their order`() {
        #expect(Capability.allCases.map { CapabilitySet([$0]).bits } == Capability.allCases.indices.map { 1 << UInt64($0) })
        let operations = ProviderKit.Operation.allCases
        #expect(operations.map { OperationSet([$0]).bits } == operations.indices.map { 1 << UInt64($0) })
    }
}
