/// The library of Examples/EchoProvider, which the build puts beside the router.
package enum EchoLibrary {
    /// The text before each response, in which each version has its own five characters.
    package static func prefix(version: String) -> String { "Echo \(version) says: " }

    /// The bytes of the library, with another text before its responses.
    package static func bytes(version: String = "1.0.0", file: StaticString = #fileID, line: Int = #line) throws -> [UInt8] {
        let bytes = try library("libEchoProvider.so", file, line)
        return version == "1.0.0" ? bytes : bytes.replacing(prefix(version: "1.0.0"), with: prefix(version: version))
    }

    /// The bytes of a second build of the library, whose source says 2.0.0 instead of 1.0.0, with another text before
    /// its responses.
    package static func nextBytes(version: String = "2.0.0") throws -> [UInt8] {
        let bytes = try next.get()
        return version == "2.0.0" ? bytes : bytes.replacing(prefix(version: "2.0.0"), with: prefix(version: version))
    }

    private static let next = Result {
        let folder = try TemporaryFolder(), root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let script = try ShellScript(
            """
            build=$(dirname "$(command -v llm-router)")
            sed 's/1\\.0\\.0/2.0.0/g' '/\(root)/Examples/EchoProvider/Sources/EchoProvider/EchoPlugin.swift' > EchoPlugin.swift
            swiftc -emit-library -o echo.so -module-name EchoProvider -parse-as-library -swift-version 6 \\
                -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature ExistentialAny \\
                -module-cache-path "$build/ModuleCache" -I "$build/Modules" -L "$build" -lProviderKit \\
                EchoPlugin.swift $(grep -v -e EchoPlugin.swift.o -e swiftmodule.o "$build"/EchoProvider.product/Objects.LinkFileList)
            """, in: folder)
        guard script.exit == .code(0), let bytes = readFile("\(folder.path)/echo.so") else {
            throw TestFailure("the second build of the example failed:\n\(script.output)", CallSite(#fileID, #line))
        }
        return bytes
    }
}

extension [UInt8] {
    /// The bytes with a text in place of another one of the same length, everywhere.
    package func replacing(_ old: String, with new: String) -> [UInt8] {
        precondition(old.utf8.count == new.utf8.count)
        var bytes = self
        let (old, new) = (Array(old.utf8), Array(new.utf8))
        var start = 0
        while let found = bytes.firstRange(of: old, from: start) {
            bytes.replaceSubrange(found, with: new)
            start = found.upperBound
        }
        return bytes
    }
}

/// The library of Tests/MisbehavingProvider.
package enum MisbehavingLibrary {
    package static func bytes(file: StaticString = #fileID, line: Int = #line) throws -> [UInt8] {
        try library("libMisbehavingProvider.so", file, line)
    }

    /// The bytes of the library, which does something wrong when it is loaded.
    ///
    /// - Parameter fault: eight characters, a case of `Fault` in its source.
    package static func bytes(fault: String, file: StaticString = #fileID, line: Int = #line) throws -> [UInt8] {
        try bytes(file: file, line: line).replacing("the fault of the library: none----", with: "the fault of the library: \(fault)")
    }
}

/// A library that the build puts beside the router.
private func library(_ name: String, _ file: StaticString, _ line: Int) throws -> [UInt8] {
    guard let router = RouterBinary.path, let bytes = readFile("\(router.dropLast("llm-router".count))\(name)") else {
        throw TestFailure("no \(name) beside llm-router; build it: 'make test' does", CallSite(file, line))
    }
    return bytes
}
