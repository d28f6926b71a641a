/// A set of the cases of an enum, in one word: a request's set may be compared with the sets of a thousand models.
package struct CaseSet<Case: CaseIterable & Equatable & Sendable>: Sendable, Hashable {
    /// One bit for each case, in the order of their declaration.
    package private(set) var bits: UInt64

    private init(bits: UInt64) { self.bits = bits }

    package init() { bits = 0 }

    package init(_ cases: some Sequence<Case>) { bits = cases.reduce(0) { $0 | Self.bit($1) } }

    package var isEmpty: Bool { bits == 0 }

    package func contains(_ element: Case) -> Bool { bits & Self.bit(element) != 0 }

    package mutating func insert(_ element: Case) { bits |= Self.bit(element) }

    package mutating func remove(_ element: Case) { bits &= ~Self.bit(element) }

    package func union(_ others: Self) -> Self { Self(bits: bits | others.bits) }

    package func isSuperset(of others: Self) -> Bool { bits & others.bits == others.bits }

    package func isDisjoint(with others: Self) -> Bool { bits & others.bits == 0 }

    /// An enum without associated values is stored as the number of its case. A search in `allCases` would cost 9 % per
    /// request.
    private static func bit(_ element: Case) -> UInt64 {
        let number = unsafeBitCast(element, to: UInt8.self)
        precondition(number < UInt64.bitWidth, "a CaseSet holds the cases of an enum with at most 64")
        return 1 << UInt64(number)
    }
}

extension CaseSet: ExpressibleByArrayLiteral {
    package init(arrayLiteral cases: Case...) { self.init(cases) }
}

extension CaseSet: Sequence {
    /// Iterates in the order in which the enum declares its cases.
    package func makeIterator() -> some IteratorProtocol<Case> { Case.allCases.lazy.filter(contains).makeIterator() }
}
