import Codecs
import ProviderKit

/// The items of a response, put together from typed events.
///
/// In a stream, one item ends before the next begins, as OpenAI sends them; clients such as LangChain lose the
/// arguments of calls that overlap. Other formats may send the arguments of several calls in turn, so what comes before
/// a call is complete waits for it. The changes of an item that waits follow when its turn comes, in fewer events.
struct ResponsesOutput: Sendable {
    /// What an event changes, in the order in which a stream says it. The numbers are the item's index and the part's.
    enum Change {
        case itemBegan(Int)
        case partBegan(Int, Int)
        case partGrew(Int, Int, by: String, tokens: [ChatToken])
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
    /// The item whose turn it is in a stream: the first that has not ended. Those after it wait.
    private var current = 0
    private var places: [Int: Int] = [:]
    /// The tokens of the next text.
    private var tokens: [ChatToken] = []

    init(_ id: ResponsesID, _ tools: ResponsesTools) {
        self.id = id
        self.tools = tools
    }

    /// Adds an event. The end of the response is not one; see `end`.
    mutating func add(_ event: ChatEvent) -> [Change] {
        var changes: [Change] = []
        switch event {
        case .text(let text): if !text.isEmpty { add(text, .text, .message, &changes) }
        case .logprobs(let tokens): self.tokens = tokens
        case .refusal(let text): if !text.isEmpty { add(text, .refusal, .message, &changes) }
        case .reasoning(let text): if !text.isEmpty { add(text, .summary, .reasoning, &changes) }
        case .reasoningToken(let token): end(token, &changes)
        case .citation(let citation):
            guard let place = open, let part = items[place].parts.indices.last, items[place].parts[part].kind == .text else { break }
            items[place].parts[part].citations.append(citation)
            note(.annotated(place, part, annotation: items[place].parts[part].citations.count - 1), of: place, &changes)
        case .toolCall(let index, let id, let name):
            close(&changes)
            places[index] = items.count
            begin(.call(tools.tool(ofFunction: name)), callID: id, &changes)
        case .toolArguments(let index, let fragment):
            guard let place = places[index], items[place].status == .inProgress, !fragment.isEmpty else { break }
            items[place].add(arguments: fragment)
            if items[place].streamsArguments { note(.argumentsGrew(place, by: fragment), of: place, &changes) }
            endCompleteCall(&changes)
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
            if let last = items[place].parts.indices.last { note(.partEnded(place, last), of: place, &changes) }
            items[place].parts.append(ResponsesItem.Part(kind: part))
            note(.partBegan(place, items[place].parts.count - 1), of: place, &changes)
        }
        let last = items[place].parts.count - 1
        items[place].parts[last].text += text
        let tokens = part == .text ? tokens : []
        if !tokens.isEmpty {
            items[place].parts[last].tokens += tokens
            self.tokens = []
        }
        note(.partGrew(place, last, by: text, tokens: tokens), of: place, &changes)
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
        note(.itemBegan(items.count - 1), of: items.count - 1, &changes)
        endCompleteCall(&changes)
    }

    /// Ends the call whose turn it is, if it is complete and another item waits for it.
    private mutating func endCompleteCall(_ changes: inout [Change]) {
        guard current < items.count - 1, items[current].status == .inProgress, items[current].hasCompleteArguments else { return }
        end(current, &changes)
    }

    private mutating func close(_ changes: inout [Change]) {
        if let place = open { end(place, &changes) }
        open = nil
    }

    private mutating func end(_ place: Int, _ changes: inout [Change]) {
        if let last = items[place].parts.indices.last, !items[place].parts[last].text.isEmpty {
            note(.partEnded(place, last), of: place, &changes)
        }
        items[place].status = items[place].isIncomplete ? .incomplete : .completed
        note(.itemEnded(place), of: place, &changes)
        guard place == current else { return }
        current += 1
        catchUp(&changes)
    }

    // MARK: Turns

    /// Records a change of an item, unless the item waits.
    private func note(_ change: Change, of place: Int, _ changes: inout [Change]) {
        if place == current { changes.append(change) }
    }

    /// Records the changes so far of the item whose turn has come, and of those after it that can end.
    private mutating func catchUp(_ changes: inout [Change]) {
        while items.indices.contains(current) {
            let item = items[current], isOver = item.status != .inProgress
            changes.append(.itemBegan(current))
            for (part, content) in item.parts.enumerated() {
                if content.text.isEmpty { continue }
                changes += [.partBegan(current, part), .partGrew(current, part, by: content.text, tokens: content.tokens)]
                changes += content.citations.indices.map { .annotated(current, part, annotation: $0) }
                if isOver || part < item.parts.count - 1 { changes.append(.partEnded(current, part)) }
            }
            if item.streamsArguments, !item.arguments.isEmpty { changes.append(.argumentsGrew(current, by: item.arguments)) }
            guard isOver || current < items.count - 1 && item.hasCompleteArguments else { return }
            if !isOver { items[current].status = item.isIncomplete ? .incomplete : .completed }
            changes.append(.itemEnded(current))
            current += 1
        }
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
