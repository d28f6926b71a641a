import ConfigTree
import ProviderKit

/// How values of one kind are read from a policy file and written in it.
struct OptionType<Value: Sendable>: Sendable {
    let kind: FieldKind
    /// nil if the key is absent, or with an issue in the reader.
    let read: @Sendable (inout FieldReader, String) -> Value?
    /// As routes.yaml writes it.
    let written: @Sendable (Value) -> String
}

extension OptionType where Value == Int {
    static func integer(_ range: ClosedRange<Int>, unit: String? = nil) -> OptionType {
        OptionType(kind: .integer(range, unit: unit), read: { $0.int($1, in: range, unit: unit) }, written: { "\($0)" })
    }

    /// At least 1.
    static let count = integer(countRange)

    static func size(_ range: ClosedRange<Int>) -> OptionType {
        OptionType(kind: .size(range), read: { $0.size($1, in: range) }, written: sizeAsWritten)
    }
}

/// What a count may be. Nothing real reaches the upper bound; it keeps sums of a few counts in an Int.
let countRange = 1...1_000_000_000

extension OptionType where Value == Double {
    static func number(_ range: ClosedRange<Double>) -> OptionType {
        OptionType(kind: .number(range), read: { $0.number($1, in: range) }, written: \.asWritten)
    }

    /// 0 to 1.
    static let ratio = OptionType(kind: .number(0...1), read: { $0.ratio($1) }, written: \.asWritten)

    /// US dollars.
    static let money = OptionType(kind: .money(0...1_000_000), read: { $0.money($1) }, written: \.asWritten)
}

extension OptionType where Value == Duration {
    static func duration(_ range: ClosedRange<Duration> = .milliseconds(1) ... .seconds(24 * 3600)) -> OptionType {
        OptionType(kind: .duration(range), read: { $0.duration($1, in: range) }, written: \.asWritten)
    }

    static let duration = duration()
    /// The longest time of a wait, which may be none.
    static let wait = duration(.zero ... .seconds(24 * 3600))
}

extension OptionType where Value == Bool {
    static let bool = OptionType(kind: .bool, read: { $0.bool($1) }, written: { "\($0)" })
}

extension OptionType where Value == String {
    /// An absolute path.
    static let folder = path(of: "a folder", such: "/var/tmp")

    /// An absolute path.
    static let file = path(of: "a file", such: "/var/lib/llm-router/state.db")

    /// An absolute path of a file with certificates or a key.
    static let pemFile = path(of: "a file", such: "/etc/llm-router/cert.pem")

    private static func path(of thing: String, such example: String) -> OptionType {
        OptionType(
            kind: .other("absolute path of \(thing)"),
            read: { fields, key in
                guard let path = fields.string(key) else { return nil }
                if path.utf8.first == UInt8(ascii: "/"), path.utf8.last != UInt8(ascii: "/"), !path.utf8.contains(0) { return path }
                fields.report(
                    key, "'\(key)' takes an absolute path, not '\(abbreviated(path))'", hint: "write it from the root: '\(example)'")
                return nil
            }, written: { $0 })
    }

    /// Numbers with dots between them. Clients compare them one by one.
    static let versionNumber = OptionType(
        kind: .other("version"),
        read: { fields, key in
            guard let version = fields.string(key) else { return nil }
            let numbers = version.split(separator: ".", omittingEmptySubsequences: false)
            if 2...4 ~= numbers.count, numbers.allSatisfy({ 1...6 ~= $0.utf8.count && $0.allSatisfy(\.isASCIIDigit) }) { return version }
            fields.report(
                key, "'\(key)' takes numbers with dots between them, not '\(abbreviated(version))'", hint: "write it as '0.32.0'")
            return nil
        }, written: { $0 })

    static let text = OptionType(kind: .text, read: { $0.string($1) }, written: { $0 })

    static func word(of words: [String]) -> OptionType {
        OptionType(kind: .word(words), read: { $0.word($1, of: words) }, written: { $0 })
    }
}

extension OptionType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of an enumeration's raw values.
    static var word: OptionType { word(of: Array(Value.allCases)) }

    static func word(of cases: [Value]) -> OptionType {
        let words = cases.map(\.rawValue)
        return OptionType(kind: .word(words), read: { $0.word($1, of: words).flatMap(Value.init) }, written: \.rawValue)
    }
}

extension OptionType where Value == Set<FailureClass> {
    /// Classes of failures. A client that leaves, and the router's own limits, are the fault of no model.
    static var failures: OptionType {
        let classes = FailureClass.allCases.filter { $0 != .cancelled && $0 != .routerLimit }, words = classes.map(\.rawValue)
        return OptionType(
            kind: .other("list of failure classes; see failover"),
            read: { $0.words($1, of: words).map { Set($0.compactMap(FailureClass.init)) } },
            written: { chosen in "[\(classes.filter(chosen.contains).map(\.rawValue).joined(separator: ", "))]" })
    }
}
