import Codecs
import ProviderKit
import Testing

@testable import Engine

@Suite("the estimate of tokens")
struct TokenEstimateTests {
    struct Sample: CustomTestStringConvertible {
        var language: String
        var text: String
        /// The numbers of tokens in o200k_base, Llama 3, Qwen, DeepSeek and Tekken.
        var counts: [Int]

        var testDescription: String { language }
    }

    static let samples = [
        Sample(
            language: "English",
            text: """
                The harbour was quiet that morning. Two fishermen sat on the wall, mending a net and arguing about the price of diesel, while a gull walked up and down \
                in front of them as if it had been hired to supervise. "You can't run a boat on hope," said the older one. His brother didn't answer; he was watching \
                the ferry come round the headland, forty minutes late, with half the village waiting on the quay. Nobody seemed to mind. In October the days are \
                short, but people here have learned to let the weather keep the clock.
                """,
            counts: [114, 117, 118, 117, 117]),
        Sample(
            language: "Russian",
            text: """
                Утром в гавани было тихо. Двое рыбаков сидели на стене, чинили сеть и спорили о цене на топливо, а перед ними взад и вперёд ходила чайка, будто её \
                наняли присматривать за работой. «На одной надежде лодка не пойдёт», — сказал старший. Брат не ответил: он смотрел, как из-за мыса выходит паром, \
                опоздавший на сорок минут, и как на причале его ждёт половина деревни. Никто не сердился. В октябре дни короткие, но люди здесь давно привыкли, что \
                часами заведует погода.
                """,
            counts: [145, 160, 181, 166, 156]),
        Sample(
            language: "Chinese",
            text: """
                那天早晨，港口很安静。两个渔民坐在石墙上，一边补网，一边为柴油的价格争论不休；一只海鸥在他们面前走来走去，好像是雇来监工的。“光靠希望可开不动船。”\
                年纪大的那个说。他的弟弟没有回答，只是望着渡轮慢慢绕过海角，它晚了四十分钟，半个村子的人都在码头上等着。谁也没有生气。十月的白天很短，\
                不过这里的人早就习惯了，让天气来管时间。
                """,
            counts: [137, 140, 106, 99, 146]),
        Sample(
            language: "Swift",
            text: """
                /// Keeps the last `capacity` elements, in the order in which they came.
                struct Ring<Element> {
                    private var storage: [Element] = []
                    private var head = 0
                    let capacity: Int

                    init(capacity: Int) {
                        precondition(capacity > 0, "a ring holds at least one element")
                        self.capacity = capacity
                        storage.reserveCapacity(capacity)
                    }

                    mutating func append(_ element: Element) {
                        guard storage.count == capacity else { return storage.append(element) }
                        storage[head] = element
                        head = (head + 1) % capacity
                    }

                    var elements: [Element] { Array(storage[head...] + storage[..<head]) }
                }
                """,
            counts: [155, 153, 153, 161, 165]),
        Sample(
            language: "Python",
            text: #"""
                import argparse
                from collections import Counter
                from pathlib import Path


                def count_words(path: Path, min_length: int = 3) -> Counter:
                    """Count the words of a text file, in lower case."""
                    words = Counter()
                    with path.open(encoding="utf-8") as lines:
                        for line in lines:
                            words.update(w.lower() for w in line.split() if len(w) >= min_length)
                    return words


                if __name__ == "__main__":
                    parser = argparse.ArgumentParser(description=__doc__)
                    parser.add_argument("files", nargs="+", type=Path)
                    for file in parser.parse_args().files:
                        for word, n in count_words(file).most_common(10):
                            print(f"{n:6d}  {word}")
                """#,
            counts: [165, 162, 163, 173, 169]),
        Sample(
            language: "JSON",
            text: """
                {
                  "id": "order-20417",
                  "created_at": "2025-03-14T09:26:53Z",
                  "customer": {"name": "Maria Keller", "email": "maria@example.com", "is_business": false},
                  "items": [
                    {"sku": "TB-1180", "title": "Folding table, oak", "quantity": 2, "unit_price": 149.90},
                    {"sku": "CH-0042", "title": "Chair, grey felt", "quantity": 8, "unit_price": 64.50}
                  ],
                  "shipping": {"method": "freight", "address": ["Lindenweg 12", "79098 Freiburg"], "cost": 39.00},
                  "total": 854.80,
                  "paid": true
                }
                """,
            counts: [183, 185, 213, 188, 213]),
    ]

    /// The estimate for a text that is encoded as a JSON string.
    private func tokens(_ text: String, asciiOnly: Bool = false) -> Int {
        var json: [UInt8]
        if asciiOnly {
            json = [UInt8(ascii: "\"")]
            for unit in text.utf16 { json += escape(unit) }
            json.append(UInt8(ascii: "\""))
        } else {
            var writer = JSONWriter()
            writer.string(text)
            json = writer.bytes
        }
        var estimate = TokenEstimate()
        estimate.addText(1..<(json.count - 1), of: json.span.bytes)
        return estimate.tokens
    }

    private func escape(_ unit: UInt16) -> [UInt8] {
        if unit == 0x0a { return Array(#"\n"#.utf8) }
        if 0x20..<0x80 ~= unit, unit != 0x22, unit != 0x5c { return [UInt8(unit)] }
        let digits = String(unit, radix: 16)
        return Array((#"\u"# + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
    }

    @Test("the estimate is within 10 % of the mean over the vocabularies", arguments: samples)
    func error(_ sample: Sample) {
        let mean = Double(sample.counts.reduce(0, +)) / Double(sample.counts.count)
        #expect(abs(Double(tokens(sample.text)) / mean - 1) < 0.1)
    }

    @Test(
        "an escape counts as the character that it represents",
        arguments: samples.map(\.text) + ["🚀 done, 👍🏽 thanks", "a\tb\u{8}\u{c}\r\n\"quoted\" \\ / é ß", ""])
    func escapes(_ text: String) {
        #expect(tokens(text, asciiOnly: true) == tokens(text))
    }

    @Test(
        "emoji, digits, runs and long words cost roughly as much as in the vocabularies",
        arguments: [
            ("🚀", 1...3), ("1234567890", 4...10), (String(repeating: " ", count: 200), 1...4), (String(repeating: "-", count: 100), 1...8),
            ("internationalization", 2...6),
            ("Hello, world!", 3...5), ("", 0...0),
        ])
    func shortTexts(_ text: String, _ bounds: ClosedRange<Int>) {
        #expect(bounds.contains(tokens(text)))
    }

    @Test(
        "a text that ends within an escape or a character is not read beyond its end",
        arguments: [#"\"#, #"\u"#, #"\u04"#, #"\ud83d\u"#])
    func cutOff(_ text: String) {
        let bytes = Array(text.utf8) + [0xd0]
        var estimate = TokenEstimate()
        for end in 0...bytes.count { estimate.addText(0..<end, of: bytes.span.bytes) }
        estimate.addText(3..<1000, of: bytes.span.bytes)
        estimate.addText(2000..<3000, of: bytes.span.bytes)
        #expect(estimate.tokens < 60)
    }

    @Test("texts and frames are summed, and the sum is rounded up once")
    func sum() {
        let bytes = Array("some words".utf8)
        var one = TokenEstimate()
        one.addText(0..<bytes.count, of: bytes.span.bytes)
        var many = TokenEstimate()
        many.add(tokens: 7)
        for _ in 0..<1000 { many.addText(0..<bytes.count, of: bytes.span.bytes) }
        #expect(many.tokens - 7 <= one.tokens * 1000 && many.tokens - 7 > (one.tokens - 1) * 1000)
        #expect(TokenEstimate().tokens == 0)
    }

    @Test("four bytes of a response count as one token", arguments: [(0, 0), (1, 1), (4, 1), (5, 2)])
    func responses(bytes: Int, tokens: Int) {
        #expect(TokenEstimate.tokens(ofBytes: bytes) == tokens)
    }
}
