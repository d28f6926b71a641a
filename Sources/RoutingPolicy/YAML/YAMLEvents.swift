internal import CLibYAML
import ConfigTree

/// The parse events of one YAML file, from libyaml.
///
/// libyaml's parser must not move in memory, and it reads its input during parsing. Therefore, this type allocates
/// both.
struct YAMLEvents: ~Copyable {
    enum Kind {
        case streamEnd
        case documentStart
        case documentEnd
        case alias(String)
        case scalar(String, isPlain: Bool)
        case sequenceStart
        case mappingStart
        case end
    }

    struct Event {
        var kind: Kind
        var anchor: String?
        var tag: String?
        var position: SourcePosition
        /// Where a scalar ends: the column behind its last character or quote, or the beginning of the line after a
        /// block scalar. nil for everything else.
        var end: SourcePosition?
    }

    private let file: String
    private let text: SourceText
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// The events of `text`, which must have no `problem`.
    init(of text: SourceText, file: String) throws(ConfigIssue) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw ConfigIssue(at: SourcePosition(file: file, line: 1, column: 1), "there is not enough memory to read this file")
        }
        self.file = file
        self.text = text
        self.parser = parser
        // libyaml would count a byte order mark as a column.
        var content = text.bytes.dropFirst(text.hasByteOrderMark ? 3 : 0)
        // If the last line has no line break, libyaml would read blanks on it as text of a block scalar.
        if content.last == UInt8(ascii: " ") || content.last == UInt8(ascii: "\t") { content.append(UInt8(ascii: "\n")) }
        bytes = .allocate(capacity: content.count)
        _ = bytes.initialize(from: content)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        bytes.deallocate()
    }

    borrowing func next() throws(ConfigIssue) -> Event {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
            defer { yaml_event_delete(&event) }
            let position = position(event.start_mark)
            switch event.type {
            case YAML_STREAM_START_EVENT: continue
            case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return Event(kind: .streamEnd, position: position)
            case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, position: position)
            case YAML_DOCUMENT_END_EVENT: return Event(kind: .documentEnd, position: position)
            case YAML_ALIAS_EVENT: return Event(kind: .alias(string(event.data.alias.anchor) ?? ""), position: position)
            case YAML_SCALAR_EVENT:
                let scalar = event.data.scalar
                let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
                let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
                return Event(
                    kind: .scalar(text, isPlain: isPlain), anchor: string(scalar.anchor), tag: string(scalar.tag), position: position,
                    end: self.position(event.end_mark))
            case YAML_SEQUENCE_START_EVENT:
                let start = event.data.sequence_start
                return Event(kind: .sequenceStart, anchor: string(start.anchor), tag: string(start.tag), position: position)
            case YAML_MAPPING_START_EVENT:
                let start = event.data.mapping_start
                return Event(kind: .mappingStart, anchor: string(start.anchor), tag: string(start.tag), position: position)
            default: return Event(kind: .end, position: position)
            }
        }
    }

    private borrowing func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        text.map { String(decodingCString: $0, as: UTF8.self) }
    }

    private borrowing func position(_ mark: yaml_mark_t) -> SourcePosition {
        // libyaml may report an error at the end of the text on a line after the last one.
        let line = min(Int(clamping: mark.line) + 1, max(1, text.lineCount))
        return SourcePosition(file: file, line: line, column: Int(clamping: mark.column) + 1)
    }

    private borrowing func failure() -> ConfigIssue {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "there is not enough memory to read this file"
        let context = parser.pointee.context.map { String(cString: $0) }
        let place = position(parser.pointee.problem_mark)
        let line = Array((text.line(place.line) ?? "").unicodeScalars.prefix(place.column))
        if line.suffix(2) == ["$", "{"] {
            let variable = SourcePosition(file: file, line: place.line, column: place.column - 1)
            return ConfigIssue(at: variable, "a variable inside braces or brackets needs quotes", hint: "write \"${NAME}\"")
        }
        let character = place.column <= line.count ? line.last : nil
        return yamlFailure(problem, at: place, on: character, context: context, at: position(parser.pointee.context_mark))
    }
}

/// Replaces libyaml's message if it doesn't show a person what to do.
private func yamlFailure(
    _ problem: String, at place: SourcePosition, on character: Unicode.Scalar?, context: String?, at start: SourcePosition
) -> ConfigIssue {
    switch (problem, context) {
    case ("found unexpected end of stream", "while scanning a quoted scalar"),
        ("found unexpected document indicator", "while scanning a quoted scalar"):
        ConfigIssue(at: start, "this quote is never closed", hint: "add the closing quote")
    case ("found character that cannot start any token", _) where character == "\t",
        ("found a tab character where an indentation space is expected", _), ("found a tab character that violates indentation", _):
        ConfigIssue(at: place, "a tab is not allowed here", hint: "indent with spaces")
    case ("found character that cannot start any token", _):
        ConfigIssue(at: place, "a value can't start with this character", hint: "put the value in quotes")
    case ("mapping values are not allowed in this context", _):
        ConfigIssue(
            at: place, "unexpected ':'",
            hint: "put a value that contains ': ' in quotes; if this is a key, check its indentation and the ':' of the line above")
    case ("did not find expected key", "while parsing a block mapping"):
        ConfigIssue(
            at: place, "expected a key of the mapping that begins at line \(start.line)",
            hint: "check the indentation: all keys of a mapping start in the same column; a quoted value ends at its closing quote")
    case (_, "while scanning a tag"), (_, "while parsing a tag"):
        ConfigIssue(
            at: start, "YAML reads text that begins with '!' as the type of a value",
            hint: "put text that begins with '!' in quotes, such as \"!free\"; a value takes no type, so remove any other tag")
    case ("block sequence entries are not allowed in this context", _),
        ("did not find expected node content", _) where character == "-":
        ConfigIssue(
            at: place, "a list can't begin on the line of its key",
            hint: "write '[a, b]', or each item as '- item' on a line of its own below the key")
    case ("did not find expected alphabetic or numeric character", "while scanning an anchor"),
        ("did not find expected alphabetic or numeric character", "while scanning an alias"):
        ConfigIssue(
            at: start, "YAML reads text that begins with '\(context == "while scanning an alias" ? "*" : "&")' as a reference to a value",
            hint: "put the text in quotes")
    case ("did not find expected '-' indicator", _):
        ConfigIssue(
            at: place, "expected '-' for another item of the list that begins at line \(start.line)",
            hint: "all items of a list start in the same column")
    case ("could not find expected ':'", _):
        ConfigIssue(at: start, "expected a key, but its ':' is missing", hint: "write 'key: value', with a space after the ':'")
    case ("did not find expected ',' or ']'", _):
        ConfigIssue(at: start, "this '[' is not closed", hint: "add ']' before line \(place.line), column \(place.column)")
    case ("did not find expected ',' or '}'", _):
        ConfigIssue(at: start, "this '{' is not closed", hint: "add '}' before line \(place.line), column \(place.column)")
    case ("did not find expected node content", _) where character == ":":
        ConfigIssue(at: place, "expected a value", hint: "put text that begins with a bracket in quotes, such as \"[::]:8080\"")
    case ("did not find expected node content", _):
        ConfigIssue(
            at: place, "expected a value", hint: "a list in brackets can't have empty items; an anchor or a tag precedes its value")
    case ("found unknown escape character", _):
        ConfigIssue(at: place, "unknown escape in double quotes", hint: "write '\\\\' for a backslash, or use single quotes")
    case ("found undefined tag handle", _):
        ConfigIssue(at: start, "unknown tag", hint: "remove it: the schema defines the type of each value")
    default:
        ConfigIssue(at: place, "this is not valid YAML: \(problem)\(context.map { ", \($0) from line \(start.line)" } ?? "")")
    }
}
