import Codecs
import Testing

@Suite struct JSONArrayDecoderTests {
    @Test(
        "the elements don't depend on where the array is cut",
        arguments: [
            ("[]", []), ("[{}]", ["{}"]), (" [ {\"a\":1} , {\"b\":[2]} ] ", ["{\"a\":1}", "{\"b\":[2]}"]),
            ("\u{feff}[[1],{}]", ["[1]", "{}"]), (#"[{"a":"]}\"["},{"b":"\\"}]"#, [#"{"a":"]}\"["}"#, #"{"b":"\\"}"#]),
            (#"[1,"[",null,{}]"#, ["{}"]), (#"[{}]{"a":1}[{}]"#, ["{}"]), ("]", []), ("}{}", []),
        ])
    func cutAnywhere(_ array: String, _ elements: [String]) {
        for chunks in cuts(of: Array(array.utf8), seed: 5) {
            var decoder = JSONArrayDecoder(), pending: [UInt8] = [], read: [String] = []
            for chunk in chunks {
                pending += chunk
                while let element = decoder.nextElement(pending.span.bytes) {
                    read.append(String(decoding: pending[element], as: UTF8.self))
                }
                pending.removeFirst(decoder.consume())
            }
            #expect(read == elements)
            #expect(decoder.isClosed)
        }
    }

    @Test("an array without its end is not closed", arguments: ["", "[", "[{}", "[{},", "[\"]", "[{\"a\":\"]"])
    func open(_ array: String) {
        let bytes = Array(array.utf8)
        var decoder = JSONArrayDecoder()
        while decoder.nextElement(bytes.span.bytes) != nil {}
        #expect(!decoder.isClosed)
    }
}
