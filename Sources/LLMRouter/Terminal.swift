import Glibc

/// The terminal while a command fills its screen: keys come without Return, and the screen of before comes back at the
/// end, after a signal too.
enum Terminal {
    // Written once, before the signal handlers are installed.
    nonisolated(unsafe) private static var saved = termios()  // read by signal handlers, which may not lock

    static func enter() {
        tcgetattr(0, &saved)
        var raw = saved
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(0, TCSANOW, &raw)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { number in
                Terminal.leave()
                _exit(128 + number)
            }
        }
        // The alternate screen, and no cursor. Source: xterm's "Control Sequences", "DEC Private Mode Set".
        write("\u{1B}[?1049h\u{1B}[?25l")
    }

    static func leave() {
        write("\u{1B}[?25h\u{1B}[?1049l")
        tcsetattr(0, TCSANOW, &saved)
    }

    /// Draws over what is there, so that nothing flickers. Each line erases the rest of its row, and the last one the
    /// rest of the screen.
    static func draw(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        Console.out("\u{1B}[H" + lines.joined(separator: "\u{1B}[K\r\n") + "\u{1B}[J", endsLine: false)
    }

    /// The number of rows.
    static var rows: Int {
        var size = winsize()
        return ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? Int(size.ws_row) : 24
    }

    /// The key that is pressed within a time; nil if there is none.
    static func key(within seconds: Int) -> UInt8? {
        var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        guard poll(&input, 1, Int32(seconds * 1000)) > 0 else { return nil }
        var byte: UInt8 = 0
        return read(0, &byte, 1) == 1 ? byte : UInt8(ascii: "q")
    }

    /// May be called by a signal handler: it allocates nothing.
    private static func write(_ text: StaticString) { _ = Glibc.write(1, text.utf8Start, text.utf8CodeUnitCount) }
}
