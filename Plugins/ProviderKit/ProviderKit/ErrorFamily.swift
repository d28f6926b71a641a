/// The words with which upstreams say that one kind of thing is at fault. The table of all families, which is the only
/// place that knows them, is in ErrorFamily+Table.swift.
///
/// An upstream's status says little: a used-up quota is sent as 400, 402, 403 and 429, and a prompt that is too long as
/// 400, 413, 422 and 500. So the words are searched first, and the status decides only if they say nothing. The order
/// of the search is: the codes of all families, the phrases of all families in the messages, then in the codes as words
/// (`free_quota_exhausted`), and the generic codes of all families.
///
/// A code matches as a whole, a ``Phrase`` anywhere in a message, and both in either case.
struct ErrorFamily: Sendable {
    let failure: FailureClass
    /// The only statuses with which these words mean this; nil for any.
    var onlyStatuses: Set<Int>?
    /// Statuses with which these words mean something else.
    var ignoredStatuses: Set<Int> = []
    /// Whether a match of a phrase may begin or end in what a message quotes from the request. False where a client
    /// could make an upstream say them, and with that stop everyone's requests.
    var includesQuotes = false
    /// Codes, types, statuses and reasons, in lower case.
    var codes: Set<String> = []
    /// The phrases, of which the signs are described at ``Phrase``.
    var phrases: [Phrase] = []
    /// Codes that are also sent for other causes, so that phrases come before them.
    var genericCodes: Set<String> = []

    /// Whether these words count with a status.
    func counts(with status: Int) -> Bool {
        !ignoredStatuses.contains(status) && onlyStatuses?.contains(status) ?? true
    }

    /// The period of a limit. Alibaba, 429 `insufficient_quota`: "hour allocated quota exceeded."
    static let period: [Phrase] = ["minute|hour|hourly|day|daily _ _ quota|limit|allocation"]
}
