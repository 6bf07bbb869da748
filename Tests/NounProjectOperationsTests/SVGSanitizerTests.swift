import Foundation
import OperationTrackingTesting
import Testing

@testable import NounProjectOperations

struct SVGSanitizerTests {
    private static let path = #"<path d="M0 0L9 9z"/>"#

    private func clean(_ text: String) throws -> String {
        String(decoding: try SVGSanitizer.clean(Array(text.utf8)), as: UTF8.self)
    }

    /// An icon round a part that is to be looked at.
    private func icon(_ part: String, _ attributes: String = "") -> String {
        #"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" \#(attributes)>\#(part)\#(Self.path)</svg>"#
    }

    private func cleanPart(_ part: String) throws -> String {
        let text = try clean(icon(part))
        let start = try #require(text.firstRange(of: "2000/svg\"")).upperBound
        let inside = text[start...].drop { $0 != ">" }.dropFirst()
        return String(inside.dropLast((Self.path + "</svg>\n").count))
    }

    @Test func anIconStaysAsItIs() throws {
        let text = """
            <svg xmlns="http://www.w3.org/2000/svg" version="1.1" viewBox="0 0 100 125" x="0px"><title>Café &amp; Co</title>\
            <g fill="none" stroke="#000" stroke-width="2" transform="translate(1,2) rotate(45)"><path d="M1-2.5e-3,4z"/></g>\
            <text x="0" y="115" font-size="5px" font-weight="bold" font-family="'Helvetica Neue', Arial">Created by 👩‍🎨 — 中文</text></svg>

            """
        #expect(try clean(text) == text)
    }

    @Test func drawingProgramsWrappingsAreTakenOff() throws {
        let text = """
            \u{FEFF}<?xml version="1.0" encoding="utf-8"?>
            <!-- Generator: a drawing program -->
            <!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
            <svg version="1.1" xmlns="http://www.w3.org/2000/svg" xmlns:i="http://ns.adobe.com/AdobeIllustrator/10.0/"
              xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" xml:space="preserve" i:pageBounds="0 0">
              <sodipodi:namedview pagecolor="#ffffff"><path d="M1 1"/></sodipodi:namedview>
              <metadata>anything</metadata>
              <switch><foreignObject requiredExtensions="x"><i:aipgfRef/></foreignObject><g i:extraneous="self"><path d="M0 0"/></g></switch>
            </svg>
            """
        #expect(
            try clean(text) == #"<svg xmlns="http://www.w3.org/2000/svg" version="1.1"><g><path d="M0 0"/></g></svg>"#
                + "\n"
        )
    }

    @Test func aMissingNamespaceIsAdded() throws {
        #expect(try clean("<svg><path d='M0 0'/></svg>").hasPrefix(#"<svg xmlns="http://www.w3.org/2000/svg">"#))
    }

    @Test func prefixesAreTakenOffAndMeanWhatTheySay() throws {
        let text = """
            <x:svg xmlns:x="http://www.w3.org/2000/svg" xmlns:y="urn:y"><x:path d="M0 0"/><y:path d="M1 1"/><path d="M2 2"/>\
            <x:script>alert(1)</x:script></x:svg>
            """
        // Without a prefix nothing is declared, and that counts as SVG, as in files that declare nothing at all.
        #expect(
            try clean(text) == #"<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/><path d="M2 2"/></svg>"# + "\n"
        )
    }

    @Test(arguments: [
        "<script>alert(1)</script>", "<script href='x.js'/>", "<SCRIPT>alert(1)</SCRIPT>",
        "<sCrIpT xlink:href='data:,alert(1)'/>",
        "<svg:script xmlns:svg='http://www.w3.org/2000/svg'>alert(1)</svg:script>",
        "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>alert(1)</h:script>",
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'><img src='x' onerror='alert(1)'/></body></foreignObject>",
        "<image href='http://evil.example/x.png'/>", "<image xlink:href='data:image/svg+xml;base64,PHN2Zz4='/>",
        "<iframe src='javascript:alert(1)'/>", "<embed src='x'/>", "<object data='x'/>", "<audio src='x'/>",
        "<video src='x'/>",
        "<animate attributeName='href' values='javascript:alert(1)'/>",
        "<set attributeName='href' to='javascript:alert(1)'/>",
        "<set attributeName='onmouseover' to='alert(1)'/>", "<animateTransform/>",
        "<animateMotion><mpath href='#x'/></animateMotion>",
        "<handler type='application/ecmascript'>alert(1)</handler>", "<listener event='click'/>",
        "<feImage href='http://evil.example'/>",
        "<filter id='f'><feImage href='#x'/></filter>", "<?xml-stylesheet href='http://evil.example/x.css'?>",
        "<!-- comment -->",
        "<style>@import url(http://evil.example);</style>", "<style>*{fill:red}</style>",
        "<style>a[href]{fill:red}</style>",
        "<style><![CDATA[@font-face{font-family:x;src:url(http://evil.example)}]]></style>",
        "<style>.a{background:url(javascript:alert(1))}</style>", "<style>.a{behavior:url(#default#time2)}</style>",
        "<style>.a{fill:expression(alert(1))}</style>", "<style>.a{-moz-binding:url(#x)}</style>",
        "<style>.a{fill:u\\72l(http://evil.example)}</style>",
        "<style>.a{fill:&#x75;rl(&#104;ttp://evil.example)}</style>",
        "<style>.a{fill:url(http://evil.example)}</style>", "<style>.a{fill:url(//evil.example)}</style>",
        "<style>.a{fill:url('#a' , 'http://evil.example')}</style>", "<style>body{display:none}</style>",
        "<style>@media all{.a{fill:red}}</style>", "<style>.a{fill:image-set('x')}</style>", "<style/>",
        "<style>&lt;/style&gt;</style>",
        "<link rel='stylesheet' href='http://evil.example'/>", "<metadata><path d='M0 0'/></metadata>",
        "<color-profile xlink:href='x'/>",
        "<a xlink:href='javascript:alert(1)'></a>", "text outside of text elements", "&#10;",
        "<![CDATA[<script>alert(1)</script>]]>",
    ])
    func whatCouldRunOrLoadIsLeftOut(_ part: String) throws {
        #expect(try cleanPart(part) == "")
    }

    @Test(arguments: [
        "onload='alert(1)'", "ONLOAD='alert(1)'", "onclick='alert(1)'",
        "on&#x63;lick2='x'".replacing("&#x63;", with: "c"),
        "href='javascript:alert(1)'", "href=' java&#10;script:alert(1)'", "href='&#x6A;avascript:alert(1)'",
        "href='JaVaScRiPt:alert(1)'",
        "href='data:image/svg+xml,x'", "href='http://evil.example#a'", "href='//evil.example'", "href='#a b'",
        "href='#'", "href='?#a'",
        "xlink:href='javascript:alert(1)'", "xlink:href='&#9;javascript:alert(1)'", "q:href='#a' xmlns:q='urn:q'",
        "unknown:href='#a'",
        "src='x'", "data='x'", "style='background:url(http://evil.example)'", "style='fill:url(http://evil.example)'",
        "style='fill:u\\72l(#a)'", "style='fill:url(\\23 a)'", "style='x:expression(alert(1))'",
        "style='@import url(x)'",
        "fill='url(http://evil.example#a)'", "fill='url(//evil.example)'",
        "fill='url(&quot;http://evil.example&quot;)'",
        "fill='URL(data:,x)'", "fill='url(#a'", "fill='url((#a))'", "fill='url(#a)url(x)'", "fill='var(--x)'",
        "fill='src(#a)'",
        "filter='url(#a)'", "cursor='url(#a)'", "id='a b'", "id=''", "id='&lt;'", "class='&lt;'",
        "xml:base='http://evil.example/'",
        "xml:lang='x'", "x='&#34;&#62;'", "x='javascript:1'", "x='1;2'", "lang='x'", "tabindex='1'", "begin='0s'",
        "formaction='x'",
        "xmlns:evil='http://evil.example'", "requiredExtensions='x'", "systemLanguage='x'",
        "externalResourcesRequired='true'",
    ])
    func attributesThatCouldRunOrLoadAreLeftOut(_ attribute: String) throws {
        #expect(try cleanPart("<rect \(attribute)/>") == "<rect/>")
    }

    @Test func partsOfTheFileMayBeReferredTo() throws {
        let part = """
            <defs><linearGradient id="a" x1="0"><stop offset="0" stop-color="red"/></linearGradient><clipPath id="b.1">\
            <rect id="r_-"/></clipPath></defs><use xlink:href="#r_-"/><use href="#r_-"/><rect fill="url(#a)" clip-path="url('#b.1')"/>
            """
        #expect(try cleanPart(part) == part)
        #expect(
            try cleanPart("<use href=' #r '/><rect fill='url(&quot;#a&quot;)'/>")
                == "<use href=\"#r\"/><rect fill=\"url('#a')\"/>"
        )
        #expect(try clean(icon("<use xlink:href='#r'/>")).contains(#"xmlns:xlink="http://www.w3.org/1999/xlink""#))
    }

    @Test func stylesKeepWhatIsHarmless() throws {
        #expect(
            try cleanPart(
                "<style type='text/css'>\n .st0 , rect.st1{fill : NONE; stroke:#231F20;}\n/* x */ #i{clip-path:url(#a)}</style><rect class='st1' id='i'/>"
            )
                == #"<rect class="st1" id="i" style="fill:NONE;stroke:#231F20;clip-path:url(#a)"/>"#
        )
        #expect(
            try cleanPart(
                "<style>@import 'x'; .a{fill:red} .b{fill:red;width:expression(1);stroke:blue}</style><rect class='a b'/>"
            )
                == #"<rect class="a b" style="fill:red;stroke:blue"/>"#
        )
        #expect(
            try cleanPart("<rect style='fill:none;-inkscape-x:1;STROKE:rgb(1, 2,3);content:&quot;x&quot;'/>")
                == #"<rect style="fill:none;stroke:rgb(1, 2,3)"/>"#
        )
    }

    @Test func rulesHoldForTheFilesOwnElementsAlone() throws {
        let sheet = "<style>.btn,#sidebar,svg,g{display:none}.a{fill:green}rect{fill:red;stroke:blue}</style>"
        let text = try clean("<svg>\(sheet)<rect class='a' style='stroke:none'/><rect/><path d='M0 0'/></svg>")
        #expect(
            text == #"<svg xmlns="http://www.w3.org/2000/svg" style="display:none"><rect class="a" "#
                + #"style="fill:red;stroke:blue;fill:green;stroke:none"/><rect style="fill:red;stroke:blue"/><path d="M0 0"/></svg>"#
                + "\n"
        )
        #expect(try clean(text) == text)
    }

    @Test(arguments: [
        ("rect{fill:red}.a{fill:blue}", "fill:red;fill:blue"), (".a{fill:blue}rect{fill:red}", "fill:red;fill:blue"),
        ("#i{fill:green}.a.b{fill:blue}", "fill:blue;fill:green"), (".a{fill:red}.b{fill:blue}", "fill:red;fill:blue"),
        ("rect.a{fill:red}.b{fill:blue}", "fill:blue;fill:red"), (".c,.a{fill:red}.c.a{fill:blue}", "fill:red"),
        (".a{fill:green}.b{fill:notacolour}", "fill:green;fill:notacolour"),
        ("@charset 'x';rect{fill:red}", "fill:red"), (".a{fill:none !important}", "fill:none"),
    ])
    func theRuleThatNamesAnElementMostCloselyHoldsAsTheLast(rules: String, style: String) throws {
        #expect(
            try cleanPart("<style>\(rules)</style><rect id='i' class='a b'/>")
                == #"<rect id="i" class="a b" style="\#(style)"/>"#
        )
    }

    @Test(arguments: ["media='print'", "type='text/less'"]) func sheetsThatAreNotForScreensAreLeftOut(attribute: String)
        throws
    {
        #expect(try cleanPart("<style \(attribute)>rect{fill:red}</style><rect/>") == "<rect/>")
        #expect(
            try cleanPart("<style media='print, Screen '>rect{fill:red}</style><rect/>") == #"<rect style="fill:red"/>"#
        )
    }

    @Test func textStaysTextWhateverItSays() throws {
        let text = try cleanPart(
            "<desc>&lt;script&gt;alert(1)&lt;/script&gt;</desc><text>a<![CDATA[</text><script>]]>&#38;lt;b</text>"
        )
        #expect(
            text
                == "<desc>&lt;script&gt;alert(1)&lt;/script&gt;</desc><text>a&lt;/text&gt;&lt;script&gt;&amp;lt;b</text>"
        )
        #expect(try cleanPart("<title><path d='M0 0'/>x<b>y</b></title>") == "<title>x</title>")
    }

    @Test func linksLoseTheirTagsAndKeepWhatTheyHold() throws {
        #expect(try cleanPart("<a href='javascript:alert(1)' onclick='x'><rect/><script/></a>") == "<rect/>")
    }

    @Test(arguments: [
        ("", "ends before"), ("not xml", "outside"), ("<svg", "well-formed"), ("<svg><path></svg>", "match"),
        ("<svg></svg>", "nothing to draw"),
        ("<svg/><svg/>", "root"), ("<html><svg><path/></svg></html>", "no SVG"),
        ("<a><svg><path/></svg></a>", "no SVG"),
        ("<svg xmlns='urn:x'><path/></svg>", "no SVG"), ("<svg x='1' x='2'><path/></svg>", "twice"),
        ("<svg x=1><path/></svg>", "well-formed"),
        ("<svg x='<'><path/></svg>", "well-formed"), ("<svg><path/>&nbsp;</svg>", "entity"),
        ("<svg><path/>&#0;</svg>", "entity"),
        ("<svg><path/>&#xD800;</svg>", "entity"), ("<svg><path/>&#99999999999;</svg>", "&"),
        ("<svg><path/>& </svg>", "&"),
        ("<svg><path/>\u{0}</svg>", "control"), ("<svg><path/>\u{1B}[31m</svg>", "control"),
        ("<svg><path/></svg>x", "outside"),
        ("<svg><![CDATA[ <path/></svg>", "ends before"),
        ("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg><path/></svg>", "declarations"),
        ("<!DOCTYPE svg [\n]><svg><path/></svg>", "declarations"), ("<svg><!DOCTYPE x><path/></svg>", "none belongs"),
        ("<!ENTITY a 'b'><svg><path/></svg>", "none belongs"), ("<!doctype svg><svg><path/></svg>", "none belongs"),
        ("<?xml version='1.0' encoding='UTF-16'?><svg><path/></svg>", "UTF-8"),
        ("<?xml version='1.0' encoding='utf-7'?><svg><path/></svg>", "UTF-8"),
        ("<svg><script>alert(1)</script></svg>", "nothing to draw"), (" <?xml version='1.0'?", "ends before"),
        ("<svg><1/></svg>", "well-formed"),
        ("<svg><path d='a'b='c'/></svg>", "well-formed"), ("<svg><path/></svg", "match"), ("<svg><>", "well-formed"),
    ])
    func whatIsNoHarmlessSVGIsRefused(text: String, reason: String) {
        let refusal = #expect(throws: FileRefusal.self) { try clean(text) }
        #expect(refusal?.description.contains(reason) == true)
    }

    @Test func otherEncodingsAreRefused() throws {
        let text = icon("")
        for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32] {
            let bytes = Array(try #require(text.data(using: encoding)))
            #expect(throws: FileRefusal("it is not in UTF-8")) { try SVGSanitizer.clean(bytes) }
        }
        let broken = Array(icon("<text>").utf8) + [0xC3, 0x28]
        #expect(throws: FileRefusal("it is not in UTF-8")) { try SVGSanitizer.clean(broken) }
    }

    @Test func entityBombsAreRefusedAtTheirFirstDeclaration() {
        let lol = (1...9).map { "<!ENTITY l\($0) \"&l\($0 - 1);&l\($0 - 1);\">" }.joined()
        #expect(throws: FileRefusal.self) {
            try clean("<!DOCTYPE svg [<!ENTITY l0 'x'>\(lol)]><svg><text>&l9;</text></svg>")
        }
        let external = "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg><text>&x;</text></svg>"
        #expect(throws: FileRefusal.self) { try clean(external) }
    }

    @Test func sizeDepthAndNumberAreBounded() {
        let large = icon("<desc>" + String(repeating: "x", count: SVGSanitizer.sizeLimit) + "</desc>")
        #expect(throws: FileRefusal.self) { try clean(large) }
        let deep = String(repeating: "<g>", count: 100) + String(repeating: "</g>", count: 100)
        #expect(throws: FileRefusal.self) { try clean(icon(deep)) }
        #expect(throws: FileRefusal.self) { try clean(icon(String(repeating: "<g/>", count: 20_000))) }
        #expect(throws: FileRefusal.self) { try clean(icon(String(repeating: "<script>", count: 100_000))) }
    }

    @Test(arguments: [
        "<g id='a'><use href='#a'/></g>", "<use id='a' href='#b'/><use id='b' xlink:href='#a'/>",
        "<pattern id='p'><rect fill='url(#p)'/></pattern>",
        "<clipPath id='c'><rect style='clip-path:url(#c)'/></clipPath>",
        "<style>.a{fill:url(#p)}</style><pattern id='p'><rect class='a'/></pattern>",
        "<g fill='url(#p)'><pattern id='p'><rect/></pattern></g>",
        "<linearGradient id='g' href='#g'/><rect fill='url(#g)'/>",
    ])
    func circlesAreRefused(_ part: String) {
        let refusal = #expect(throws: FileRefusal.self) { try clean(icon(part)) }
        #expect(refusal?.description.contains("circle") == true)
    }

    /// A level uses the one below it ten times. N stands for its number, P for the number before, R for ten of what follows up to |.
    @Test(arguments: [
        "<g id='lN'>R<use href='#lP'/>|</g>", "<pattern id='lN'>R<rect fill='url(#lP)'/>|</pattern>",
        "<style>.lN{marker-end:url(#lP)}</style><marker id='lN'><g class='lN'>R<rect/>|</g></marker>",
        "<g fill='url(#lP)'><pattern id='lN'>R<rect/>|</pattern></g>",
        "<mask id='lN'>R<rect style='mask:url(#lP)'/>|</mask>",
    ])
    func partsThatGrowBeyondAllBoundsAreRefused(template: String) throws {
        let start = try #require(template.firstIndex(of: "R")), end = try #require(template.firstIndex(of: "|"))
        let repeated = String(template[template.index(after: start)..<end])
        let ten = Array(repeating: repeated, count: 10).joined()
        let full = template[..<start] + ten + template[template.index(after: end)...]
        func levels(_ count: Int) -> String {
            let all = (1...count).map { full.replacing("lN", with: "l\($0)").replacing("lP", with: "l\($0 - 1)") }
            return "<g id='l0'><rect/></g>" + all.joined() + "<rect fill='url(#l\(count))'/><use href='#l\(count)'/>"
        }
        let refusal = #expect(throws: FileRefusal.self) { try clean(icon(levels(12))) }
        #expect(refusal?.description.contains("so often") == true)
        #expect(throws: Never.self) { try clean(icon(levels(2))) }
    }

    /// In larger sizes each of these takes minutes where each element looks at all of them. A case's text would be longer to print
    /// than to clean.
    @Test(arguments: Glut.allCases)
    private func whatWouldTakeForEverIsRefusedOrLeftOut(_ glut: Glut) throws {
        let text = icon(glut.text)
        if let reason = glut.refusal {
            let refusal = #expect(throws: FileRefusal.self) { try clean(text) }
            #expect(refusal?.description.contains(reason) == true)
        } else {
            #expect(try clean(text).utf8.count < text.utf8.count)
        }
    }

    private enum Glut: CaseIterable {
        case rules, declarations, selectors, references, namespaces, paints, longValue

        var text: String {
            func many(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }
            switch self {
            case .rules: return "<style>\(many("path{fill:red}", 800))</style>" + many("<path/>", 400)
            case .declarations: return "<style>g{\(many("color:a;", 5000))}</style>" + many("<g/>", 500)
            case .selectors: return "<style>\(many("g,", 1000))g{\(many("fill:a;", 1000))}</style>" + many("<g/>", 400)
            case .references: return "<style>path{fill:\(many("url(#a) ", 3000))}</style>" + many("<path/>", 1000)
            case .namespaces:
                let names = (0..<5000).map { "xmlns:a\($0)='' " }.joined()
                return "<g \(names)>" + many("<g xmlns:b=''/>", 500) + "</g>"
            case .paints:
                let start = (0..<90).map { "<g fill='url(#a\($0))' stroke='url(#b\($0))'>" }.joined()
                return start + many("<g fill='url(#x)'/>", 6000) + many("</g>", 90)
            case .longValue: return "<style>g{font-family:\(many("x", 20_000))}</style>" + many("<g/>", 60)
            }
        }

        var refusal: String? {
            switch self {
            case .rules, .selectors: "too many rules"
            case .paints: "so often"
            case .longValue: "would make more than"
            case .declarations, .references, .namespaces: nil
            }
        }
    }

    @Test func aMarkerCountsForEachVertex() throws {
        func icon(_ vertices: Int) -> String {
            let marker = "<marker id='m'>" + String(repeating: "<rect/>", count: 1000) + "</marker>"
            return self.icon(
                marker + "<path marker-mid='url(#m)' d='M0 0\(String(repeating: " 1 1", count: vertices))'/>"
            )
        }
        #expect(throws: Never.self) { try clean(icon(10)) }
        let refusal = #expect(throws: FileRefusal.self) { try clean(icon(5000)) }
        #expect(refusal?.description.contains("so often") == true)
    }

    @Test func longChainsOfPartsAreRefusedAndDontOverflowTheStack() {
        let chain = (1...15_000).map { "<use id='u\($0)' href='#u\($0 + 1)'/>" }.joined()
        let refusal = #expect(throws: FileRefusal.self) { try clean(icon(chain)) }
        #expect(refusal?.description.contains("deep") == true)
    }

    @Test func manyCommentsTakeNoLongerThanTheirBytes() throws {
        let text = String(repeating: "a<!---->", count: 100_000)
        #expect(try cleanPart("<text>\(text)</text>").utf8.count == 100_000 + "<text></text>".utf8.count)
    }

    /// Random files made of the pieces that attacks are made of: whatever is let through stays as it is when cleaned again, and has
    /// none of what must not be in it.
    @Test func whatIsLetThroughIsCleanAndStaysSo() throws {
        let pieces = [
            "<svg>", "<g id='a'>", "</g>", "<path d='M0 0'/>", "<use href='#a'/>", "<style>", "</style>",
            ".a{fill:url(#a)}", "<text>",
            "</text>", "<script>", "</script>", "<![CDATA[", "]]>", "<!--", "-->", "&lt;", "&#13;\r\n\t", "&#x22;",
            "&amp;", "alert(1)", "'", "\"",
            " onload='x'", " style='fill:url(\"#a\")'", "é\u{301}&amp;\u{301}", "<a xlink:href='x'>", "</a>", "<title>",
            "</title>", "/*", "*/",
            " class='a &#9; b'", "javascript:", "<foreignObject>", "</foreignObject>",
            "<x:g xmlns:x='http://www.w3.org/2000/svg'>", "</x:g>",
        ]
        var generator = SeededGenerator(seed: 1)
        var kept = 0
        for _ in 0..<6000 {
            let count = Int.random(in: 1...7, using: &generator)
            let middle = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            guard let once = try? clean(icon(middle)) else { continue }
            kept += 1
            #expect(try clean(once) == once, "from \(middle)")
            #expect(
                !once.contains("<script") && !once.contains("onload=") && !once.contains("<foreign")
                    && !once.contains("<a")
            )
        }
        #expect(kept > 300)
    }
}
