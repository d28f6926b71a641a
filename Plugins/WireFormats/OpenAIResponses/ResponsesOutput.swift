import Codecs
import ProviderKit

/// The items of a response, put together from typed events.
///
/// Texts and reasoning are items that follow one another. Calls of tools stay open until the response ends, because
/// other formats may send their arguments in turn.
struct ResponsesOutput: Sendable {
    /// What an event changes, in the order in which a stream says it. The numbers are the item's index and the part's.
    enum Change {
        case itemBegan(Int)
        case partBegan(Int, Int)
        case partGrew(Int, Int, by: String)
        case annotated(Int, Int, annotation: Int)
        case argumentsGrew(Int, by: String)
        case partEnded(Int, Int)
        case itemEnded(Int)
    }

    private(set) var items: [ResponsesItem] = []
    private let tools: ResponsesTools
    private let id: ResponsesID
    /// The item that texts or reasoning are added to; nil if a new one begins.
    private var open: Int?
    private var places: [Int: Int] = [:]

    init(_ id: ResponsesID, _ tools: ResponsesTools) {
        self.id = id
        self.tools = tools
    }

    /// Adds an event. The end of the response is not one; see `end`.
    mutating func add(_ event: ChatEvent) -> [Change] {
        var changes: [Change] = []
        switch event {
        case .text(let text): if !text.isEmpty { add(text, .text, .message, &changes) }
        case .refusal(let text): if !text.isEmpty { add(text, .refusal, .message, &changes) }
        case .reasoning(let text): if !text.isEmpty { add(text, .summary, .reasoning, &changes) }
        case .reasoningToken(let token): end(token, &changes)
        case .citation(let citation):
            guard let place = open, let part = items[place].parts.indices.last, items[place].parts[part].kind == .text else { break }
            items[place].parts[part].citations.append(citation)
            changes.append(.annotated(place, part, annotation: items[place].parts[part].citations.count - 1))
        case .toolCall(let index, let id, let name):
            close(&changes)
            places[index] = items.count
            begin(.call(tools.tool(ofFunction: name)), callID: id, &changes)
        case .toolArguments(let index, let fragment):
            guard let place = places[index], !fragment.isEmpty else { break }
            items[place].arguments += fragment
            // What stands for a function's arguments in other calls is known at their end.
            if case .call(let tool) = items[place].kind, tool.kind == .function { changes.append(.argumentsGrew(place, by: fragment)) }
        case .start, .finish: break
        }
        return changes
    }

    /// Ends all items.
    ///
    /// - Parameter isComplete: whether the model has ended its response. Otherwise the last item is incomplete.
    mutating func end(isComplete: Bool) -> [Change] {
        var changes: [Change] = []
        if !isComplete, let last = items.indices.last, items[last].status == .inProgress { items[last].isIncomplete = true }
        close(&changes)
        for place in items.indices where items[place].status == .inProgress { end(place, &changes) }
        return changes
    }

    private mutating func add(
        _ text: String, _ part: ResponsesItem.Part.Kind, _ kind: ResponsesItem.Kind, _ changes: inout [Change]
    ) {
        if open.map({ items[$0].kind != kind }) ?? true {
            close(&changes)
            open = items.count
            begin(kind, &changes)
        }
        guard let place = open else { return }
        if items[place].parts.last?.kind != part {
            if let last = items[place].parts.indices.last { changes.append(.partEnded(place, last)) }
            items[place].parts.append(ResponsesItem.Part(kind: part))
            changes.append(.partBegan(place, items[place].parts.count - 1))
        }
        let last = items[place].parts.count - 1
        items[place].parts[last].text += text
        changes.append(.partGrew(place, last, by: text))
    }

    /// A token ends the reasoning before it, unless it is reasoning of its own.
    private mutating func end(_ token: OpaqueToken, _ changes: inout [Change]) {
        let isOwn = token.kind == .encrypted
        if isOwn || open.map({ items[$0].kind != .reasoning }) ?? true {
            close(&changes)
            open = items.count
            begin(.reasoning, &changes)
        }
        guard let place = open else { return }
        items[place].token = token.tagged
        if !isOwn, items[place].parts.isEmpty { items[place].parts.append(ResponsesItem.Part(kind: .summary)) }
        close(&changes)
    }

    private mutating func begin(_ kind: ResponsesItem.Kind, callID: String = "", _ changes: inout [Change]) {
        items.append(ResponsesItem(id: id.item(kind.idPrefix, items.count), kind: kind, callID: callID))
        changes.append(.itemBegan(items.count - 1))
    }

    private mutating func close(_ changes: inout [Change]) {
        if let place = open { end(place, &changes) }
        open = nil
    }

    private mutating func end(_ place: Int, _ changes: inout [Change]) {
        if let last = items[place].parts.indices.last, !items[place].parts[last].text.isEmpty { changes.append(.partEnded(place, last)) }
        items[place].status = items[place].isIncomplete ? .incomplete : .completed
        changes.append(.itemEnded(place))
    }
}

/// The ids of a response and its items, in which OpenAI allows only letters, digits, `_` and `-`, and 64 of them.
struct ResponsesID: Sendable {
    private let text: String

    init(_ requestID: String) {
        let bytes = requestID.utf8.prefix(40).map { byte in
            ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == ASCII.minus ? byte : UInt8(ascii: "_")
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    var response: String { "resp_\(text)" }

    func item(_ prefix: String, _ index: Int) -> String { "\(prefix)_\(text)_\(index)" }
}
