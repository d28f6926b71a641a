/// The candidate of which `word` is most likely a misspelling; nil if none is near enough.
///
/// An edit inserts, removes or replaces a character, or swaps two neighbors. Words of 3 or 4 characters may differ by
/// one edit, words of up to 8 by two, and longer ones by three. Shorter words have no near ones. Case doesn't count.
/// Among equally near candidates, the alphabetically first wins.
///
/// - Parameters:
///   - word: the word as it was written.
///   - candidates: the words that could be meant.
///   - most: the most edits, whatever the length.
public func nearest(to word: String, in candidates: some Sequence<String>, atMost most: Int = 3) -> String? {
    let word = Array(word.lowercased().utf8.prefix(longestCompared))
    var bound = min(word.count <= 2 ? 0 : word.count <= 4 ? 1 : word.count <= 8 ? 2 : 3, most)
    var best: String?
    for candidate in candidates where abs(candidate.utf8.count - word.count) <= bound && !candidate.isEmpty {
        guard let distance = editDistance(word, Array(candidate.lowercased().utf8.prefix(longestCompared)), atMost: bound) else { continue }
        if let best, distance == bound, best <= candidate { continue }
        best = candidate
        bound = distance
    }
    return best
}

/// The number of bytes of a word that are compared, which bounds the cost of very long words.
private let longestCompared = 64

/// The optimal string alignment distance: Damerau's edit distance in which no part is edited twice. nil above `bound`.
private func editDistance(_ a: [UInt8], _ b: [UInt8], atMost bound: Int) -> Int? {
    guard abs(a.count - b.count) <= bound else { return nil }
    var twoBack = [Int](repeating: 0, count: b.count + 1)
    var back = Array(0...b.count)
    var row = back
    for i in a.indices {
        row[0] = i + 1
        var smallest = row[0]
        for j in b.indices {
            var distance = min(back[j + 1] + 1, row[j] + 1, back[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                distance = min(distance, twoBack[j - 1] + 1)
            }
            row[j + 1] = distance
            smallest = min(smallest, distance)
        }
        guard smallest <= bound else { return nil }
        (twoBack, back, row) = (back, row, twoBack)
    }
    guard let distance = back.last, distance <= bound else { return nil }
    return distance
}
