import ConfigTree
import Testing

struct NearestTests {
    @Test(arguments: [
        ("base_ur", "base_url"), ("bsae_url", "base_url"), ("BASE_URL", "base_url"), ("base_urll", "base_url"), ("basurl", "base_url"),
        ("modles", "models"), ("upstrem", "upstream"),
    ])
    func `a misspelled word finds the right one`(word: String, found: String) {
        #expect(nearest(to: word, in: ["models", "base_url", "upstream", "api_key"]) == found)
    }

    @Test(arguments: ["middleware", "", "xy", "api", "zzzzzz"])
    func `a different word finds nothing`(word: String) {
        #expect(nearest(to: word, in: ["models", "base_url", "upstream", "api_key", ""]) == nil)
    }

    @Test
    func `the nearest word wins, and among equally near ones the alphabetically first`() {
        #expect(nearest(to: "tags", in: ["bags", "tag", "tags2", "tasg"]) == "bags")
        #expect(nearest(to: "connect", in: ["connetc", "context", "connects"]) == "connects")
        #expect(nearest(to: "idle", in: ["idle", "idel"]) == "idle")
    }

    @Test
    func `a very long word costs little and does not match by its beginning alone`() {
        let long = String(repeating: "a", count: 100_000)
        #expect(nearest(to: long, in: [long + "bbbb"]) == nil)
    }
}
