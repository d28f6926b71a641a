import Engine

extension SplitMix64 {
    mutating func below(_ bound: Int) -> Int {
        Int.random(in: 0..<bound, using: &self)
    }

    mutating func one<Element>(of choices: [Element]) -> Element {
        choices[below(choices.count)]
    }
}
