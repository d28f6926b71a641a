import ConfigTree
import Testing

struct NearestTests {
    @Test(arguments: [
        ("base_ur", "base_url"), ("bsae_url", "base_url"), ("BASE_URL", "base_url"), ("base_urll", "base_url"), ("basurl", "base_url"),
        ("modles", "models"), ("upstrem", "upstream"),
    ])
    func `a misspelling finds its word`(word: String, found: String) {
        #expect(nearest(to: word, in: ["models", "base_url", "upstream", "api_key"]) == found)
    }

    @Test(arguments: ["middleware", "", "xy", "api", "zzzzzz"])
    func `another word finds nothing`(word: String) {
        #expect(nearest(to: word, in: ["models", "base_url", "upstream", "api_key", ""]) == nil)
    }

    @Test
    func `the nearest wins, and of equals the first by alphabet`() {
        #expect(nearest(to: "tags", in: ["bags", "tag", "tags2", "tasg"]) == "bags")
        #expect(nearest(to: "connect", in: ["connetc", "context", "connects"]) == "connects")
        #expect(nearest(to: "idle", in: ["idle", "idel"]) == "idle")
    }

    @Test
    func `very long words cost little and never match by their front alone`() {
        let long = String(repeating: "a", count: 100_000)
        #expect(nearest(to: long, in: [long + "bbbb"]) == nil)
    }
}
