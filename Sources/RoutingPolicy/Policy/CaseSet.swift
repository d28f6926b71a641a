/// A set of the cases of an enum, in one word: a request's set may be compared with the sets of a thousand models.
///
/// It is inlinable, because a generic set that other modules can't specialize would cost 5 % per request.
package struct CaseSet<Case: CaseIterable & Equatable & Sendable>: Sendable, Hashable {
    /// One bit for each case, in the order of `allCases`.
    @usableFromInline var bits: UInt64

    @inlinable init(bits: UInt64) { self.bits = bits }

    @inlinable package init() { bits = 0 }

    @inlinable package init(_ cases: some Sequence<Case>) { bits = cases.reduce(0) { $0 | Self.bit($1) } }

    @inlinable package var isEmpty: Bool { bits == 0 }

    @inlinable package func contains(_ element: Case) -> Bool { bits & Self.bit(element) != 0 }

    @inlinable package mutating func insert(_ element: Case) { bits |= Self.bit(element) }

    @inlinable package mutating func remove(_ element: Case) { bits &= ~Self.bit(element) }

    @inlinable package func union(_ others: Self) -> Self { Self(bits: bits | others.bits) }

    @inlinable package func isSuperset(of others: Self) -> Bool { bits & others.bits == others.bits }

    @inlinable package func isDisjoint(with others: Self) -> Bool { bits & others.bits == 0 }

    @inlinable static func bit(_ element: Case) -> UInt64 {
        var bit: UInt64 = 1
        for known in Case.allCases {
            precondition(bit != 0, "a CaseSet holds the cases of an enum with at most 64")
            if known == element { break }
            bit <<= 1
        }
        return bit
    }
}

extension CaseSet: ExpressibleByArrayLiteral {
    @inlinable package init(arrayLiteral cases: Case...) { self.init(cases) }
}

extension CaseSet: Sequence {
    /// Iterates in the order in which the enum declares its cases.
    package func makeIterator() -> some IteratorProtocol<Case> { Case.allCases.lazy.filter(contains).makeIterator() }
}
