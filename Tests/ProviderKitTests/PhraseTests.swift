import Testing

@testable import ProviderKit

@Suite("phrases of error messages")
struct PhraseTests {
    @Test(
        "a phrase matches whole words, whatever their endings, their case and the punctuation between them",
        arguments: [
            ("top up", "Please TOP-UP your account."), ("rate limit", "rate_limit"), ("rate limit", "The rate limits of this key"),
            ("limit exceed", "limit: exceeded"), ("is not supported", "stop isn't supported"),
            ("are not support", "images aren’t supported"),
            ("can not be", "both cannot be set"), ("model s limit", "the model’s limit"), ("a|b c", "b c"),
        ] as [(Phrase, String)])
    func words(phrase: Phrase, text: String) { #expect(phrase.occurs(in: ErrorText(QuotingText(text).bytes))) }

    @Test("a phrase does not match a part of a word", arguments: ["stop upstream", "top upload", "stop up", "laptop up"])
    func parts(text: String) { #expect(!("top up" as Phrase).occurs(in: ErrorText(QuotingText(text).bytes))) }

    @Test(
        "`_` stands for one name or nothing, and `…` for words of the same clause",
        arguments: [
            ("model _ not found", "model not found", true), ("model _ not found", "model 'meta/llama-3.1:8b' not found", true),
            ("model _ not found", "the model of the file was not found", false),
            ("model _ not found", "the model, file-1, not found", false),
            ("access … model", "access to this one model", true), ("access … model", "access. The model", false),
            ("access … model", "access a b c d e f g h i j k l m n model", false), ("invalid model _ $", "Invalid model: x", true),
            ("invalid model _ $", "Invalid model 'x'. Use y", true), ("invalid model _ $", "Invalid model parameters were sent", false),
            ("^ invalid token $", "Invalid token", true), ("^ invalid token $", "JSON: invalid token", false),
            ("超长", "Prompt 超长", true), ("超长", "Prompt 长", false),
        ] as [(Phrase, String, Bool)])
    func signs(phrase: Phrase, text: String, isFound: Bool) {
        #expect(phrase.occurs(in: ErrorText(QuotingText(text).bytes)) == isFound)
    }

    @Test("an empty text contains no phrase", arguments: ["", " ", "'", "....", "n't"])
    func empty(text: String) {
        #expect(!("not found" as Phrase).occurs(in: ErrorText(QuotingText(text).bytes)))
    }

    @Test(
        "a message about a value is searched without the value",
        arguments: [
            ("unknown variant `a` b `c`, expected one of `d`", "unknown variant  "), ("key \"x y\" isn't 'z'", "key   isn't  "),
            ("don't use the users' 'x'", "don't use the users'  "), ("see https://a.example/x?y now", "see url now"),
            ("a 'b", "a  "), ("{'message': 'no credits'}", "{ : 'no credits'}"), ("a \u{201C}b\u{201D} c", "a   c"),
            ("x [input_value='y', input_type=str]", "x ["), ("'", " "), ("`'\"", " "),
        ])
    func quotes(text: String, rest: String) {
        #expect(String(decoding: QuotingText(text).withoutQuotes(status: 400).bytes, as: UTF8.self) == rest)
    }
}
