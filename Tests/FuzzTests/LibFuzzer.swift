import Glibc

// The functions that libFuzzer calls. Source: https://llvm.org/docs/LibFuzzer.html.

/// The target that the command line names. libFuzzer is single-threaded.
nonisolated(unsafe) private var target: FuzzTarget?

/// `Fuzz list` prints the targets. `Fuzz TARGET …` runs one, with libFuzzer's arguments and the
/// committed inputs.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    let name = CommandLine.arguments.dropFirst().first
    target = FuzzTarget.all.first { $0.name == name }
    guard let target else {
        for target in FuzzTarget.all { print(target.name) }
        exit(name == "list" ? 0 : 2)
    }
    let all = [CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2) + target.inputs
    let copy = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: all.count + 1)
    for (index, argument) in all.enumerated() { copy[index] = strdup(argument) }
    copy[all.count] = nil
    arguments.pointee = copy
    count.pointee = CInt(all.count)
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do { try target?.check(Array(UnsafeBufferPointer(start: start, count: count))) } catch { fatalError("\(error)") }
    return 0
}
