import Foundation
import Testing

@testable import NounProjectOperations

/// A PNG of one pixel.
let onePixel = Array(
    Data(
        base64Encoded:
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    )!
)

struct PNGCheckTests {
    @Test func aPNGIsOne() throws {
        try PNGCheck.check(onePixel)
    }

    @Test func whatStandsBehindItIsRefused() {
        #expect(throws: FileRefusal("something stands behind the end of the PNG")) {
            try PNGCheck.check(onePixel + Array("<script>".utf8))
        }
    }

    @Test func everyShorterPartIsRefused() {
        for length in 0..<onePixel.count {
            #expect(throws: FileRefusal.self) { try PNGCheck.check(Array(onePixel[..<length])) }
        }
    }

    @Test func anImpossibleSizeOrLengthIsRefused() {
        for (place, value) in [(16, UInt8(0xFF)), (19, 0), (20, 0x80), (8, 0x7F), (8, 0xFF), (33, 0xFF), (12, 0x20)] {
            var bytes = onePixel
            bytes[place] = value
            #expect(throws: FileRefusal.self) { try PNGCheck.check(bytes) }
        }
    }

    @Test func aPictureThatWasChangedOnItsWayIsRefused() {
        for place in 12..<onePixel.count {
            var bytes = onePixel
            bytes[place] ^= 1
            #expect(throws: FileRefusal.self) { try PNGCheck.check(bytes) }
        }
    }

    @Test func aPNGWithoutAPictureIsRefused() {
        // The signature and IHDR, and IEND.
        let empty = Array(onePixel[..<33] + onePixel.suffix(12))
        #expect(throws: FileRefusal("its PNG has no picture")) { try PNGCheck.check(empty) }
    }

    @Test func anSVGIsNoPNG() {
        #expect(throws: FileRefusal("it is no PNG")) { try PNGCheck.check(Array("<svg/>".utf8)) }
    }
}
