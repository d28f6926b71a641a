import ProviderKit
import Testing

@Suite(.enabled(if: Corpus.folder != nil, "CORPORA names no folder of test vectors")) struct JSONTestSuiteTests {
    @Test("JSONTestSuite: valid texts are accepted, invalid ones are refused, and the free cases are as listed here")
    func verdicts() throws {
        let files = try Corpus.files(in: "json")
        try #require(files.count == 318)
        for (name, bytes) in files {
            let isAccepted = jsonError(bytes) == nil
            switch name.prefix(2) {
            case "y_": #expect(isAccepted, "\(name)")
            case "n_": #expect(!isAccepted, "\(name)")
            default: #expect(free[name] == isAccepted, "\(name)")
            }
        }
    }

    /// The verdicts that a parser is free to choose; true for accepted.
    ///
    /// Numbers of any size and lone surrogates in escapes are accepted, because RFC 8259's grammar allows them, and
    /// members that the router doesn't read are forwarded unchanged. Ill-formed UTF-8, other encodings, a byte order
    /// mark and more than 128 levels of nesting are refused.
    private let free = [
        "i_number_double_huge_neg_exp.json": true,
        "i_number_huge_exp.json": true,
        "i_number_neg_int_huge_exp.json": true,
        "i_number_pos_double_huge_exp.json": true,
        "i_number_real_neg_overflow.json": true,
        "i_number_real_pos_overflow.json": true,
        "i_number_real_underflow.json": true,
        "i_number_too_big_neg_int.json": true,
        "i_number_too_big_pos_int.json": true,
        "i_number_very_big_negative_int.json": true,
        "i_object_key_lone_2nd_surrogate.json": true,
        "i_string_1st_surrogate_but_2nd_missing.json": true,
        "i_string_1st_valid_surrogate_2nd_invalid.json": true,
        "i_string_incomplete_surrogate_and_escape_valid.json": true,
        "i_string_incomplete_surrogate_pair.json": true,
        "i_string_incomplete_surrogates_escape_valid.json": true,
        "i_string_invalid_lonely_surrogate.json": true,
        "i_string_invalid_surrogate.json": true,
        "i_string_inverted_surrogates_U+1D11E.json": true,
        "i_string_lone_second_surrogate.json": true,
        "i_string_UTF-16LE_with_BOM.json": false,
        "i_string_UTF-8_invalid_sequence.json": false,
        "i_string_UTF8_surrogate_U+D800.json": false,
        "i_string_invalid_utf-8.json": false,
        "i_string_iso_latin_1.json": false,
        "i_string_lone_utf8_continuation_byte.json": false,
        "i_string_not_in_unicode_range.json": false,
        "i_string_overlong_sequence_2_bytes.json": false,
        "i_string_overlong_sequence_6_bytes.json": false,
        "i_string_overlong_sequence_6_bytes_null.json": false,
        "i_string_truncated-utf-8.json": false,
        "i_string_utf16BE_no_BOM.json": false,
        "i_string_utf16LE_no_BOM.json": false,
        "i_structure_500_nested_arrays.json": false,
        "i_structure_UTF-8_BOM_empty_object.json": false,
    ]
}
