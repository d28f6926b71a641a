import ConfigTree
import Testing

@testable import RoutingPolicy

/// No excerpt shows a secret that its name stands before, however many there are and in whatever order.
struct ExcerptPropertyTests {
    private static let names = [
        "api_key", "secret", "password", "master_key", "OPENAI_API_KEY", "x-api-key", "access_token", "sha256", "authorization",
    ]

    /// A secret of 14 characters, of which no five in a row occur in another one or in the other words of a line.
    private static func secret(_ number: Int) -> String { "Q\(number)z7Xw\(number)Vk3Jb\(number)Ym" }

    private static func item(_ random: inout SeededGenerator, _ number: Int) -> String {
        let name = names[Int.random(in: names.indices, using: &random)], secret = secret(number)
        let forms = [
            "\(name): \(secret)", "\(name) \(secret)", "\"\(name)\": \"\(secret)\"", "'\(name)' : '\(secret)'", "\(name)=\(secret)",
            "\(name) = \(secret)", "\(name):\(secret)", "\(name)： \(secret)", "\"\(name)\" \"\(secret)\"", "\(name): [\(secret)]",
            "export \(name) \(secret)", "x: { \(name): \(secret) }", "[\(name), a: 1, \(name) \(secret)]",
        ]
        return forms[Int.random(in: forms.indices, using: &random)]
    }

    private static func line(_ random: inout SeededGenerator) -> String {
        let count = Int.random(in: 1...3, using: &random)
        let harmless = ["provider: p", "retries: 3", "key:", "# note", "try: [m]", "tokens: 5", "a"]
        var parts = (0..<count).map { item(&random, $0) }
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            parts.insert(
                harmless[Int.random(in: harmless.indices, using: &random)], at: Int.random(in: 0...parts.count, using: &random))
        }
        let body = parts.joined(separator: [", ", " ", " # "][Int.random(in: 0..<3, using: &random)])
        return ["m: { \(body) }", "  - \(body)", body, "# \(body)", "listen: 8080 # \(body)", "\"a\": {\(body)"][
            Int.random(in: 0..<6, using: &random)]
    }

    @Test func `no line shows the value of a secret's name`() {
        var random = SeededGenerator(state: 12)
        for _ in 0..<3000 {
            let line = Self.line(&random)
            let shown =
                Excerpt(
                    of: SourceText(Array(line.utf8)), at: SourcePosition(file: "f", line: 1, column: 1), secrets: [])?.lines.0 ?? ""
            for number in 0..<3 {
                let secret = Array(Self.secret(number))
                let parts = (0...(secret.count - 5)).map { String(secret[$0..<($0 + 5)]) }
                #expect(!parts.contains(where: shown.contains), "\(line)\n\(shown)")
            }
        }
    }

    @Test(arguments: [
        "{\"plugin\": \"openai\", \"api_key\": \"Tr0u\nTr0ub4dor\"}, \"q\": {\"api_key\": x}", "m: { api_key: 'a\nTr0ub4dor', a: 1 }",
        "m: { api_key: \"a\\\"\nTr0ub4dor\n  Tr0ub4dor\\\" Tr0ub4dor\", a: 1 }", "m: { api_key: [\nTr0ub4dor,\n\"Tr0ub4dor\" ] }",
        "m: { headers: {\nX: Tr0ub4dor,\nY: [ Tr0ub4dor ] } }",
    ])
    func `a secret of several lines is hidden in each of them`(text: String) {
        let source = SourceText(Array(text.utf8))
        let vocabulary = Vocabulary(OptionReference(plugins: []))
        let regions = SecretRegions(of: source, file: "f", vocabulary: vocabulary, known: [], shown: [])
        for number in 1...source.lineCount {
            let shown =
                Excerpt(
                    of: source, at: SourcePosition(file: "f", line: number, column: 1), secrets: [], hidden: regions.hidden[number] ?? [])?
                .lines.0 ?? ""
            #expect(!shown.contains("Tr0u"), "\(shown)")
        }
    }

    @Test(arguments: [
        "m: { provider: p, input_cost_per_token: 5e-7, a: 1 }", "m: { max_token: 2.5E-06 }", "m: { my_token: .5, b: 1_000 }",
        "m: { x_token: +5, y_token: 0x1F, z_token: -1e+3 }", "select: { tags: key & fast }",
        "tests: [{ when: \"tokens >= 4000\" }]", "# the keys of the team are elsewhere",
    ])
    func `numbers, expressions and words about secrets are shown`(line: String) {
        let shown = Excerpt(of: SourceText(Array(line.utf8)), at: SourcePosition(file: "f", line: 1, column: 1), secrets: [])?.lines.0
        #expect(shown == line)
    }

    @Test(arguments: ["5e-7", "2.5e-06", ".5", "+5", "1_000", "0x1F", "5.", "-3", "30s", "1.5GiB", "0.0000015"])
    func `a number is a quantity in every form`(text: String) {
        #expect(isQuantity(text))
    }

    @Test(arguments: ["", "-", "e5", "e-7", "0x", "0xG", ".", "_1", "5e", "5x", "1e-7e", "abc", "12345678901234567"])
    func `other texts are none`(text: String) {
        #expect(!isQuantity(text))
    }
}

/// SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
