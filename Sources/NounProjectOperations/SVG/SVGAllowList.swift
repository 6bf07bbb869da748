/// What an icon may consist of. Everything else is left out, whatever it is.
enum SVGAllowList {
    static let namespace = "http://www.w3.org/2000/svg"
    static let linkNamespace = "http://www.w3.org/1999/xlink"

    /// Elements that draw something.
    static let shapes: Set<String> = [
        "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "use",
    ]

    /// Elements that are kept.
    static let elements: Set<String> = shapes.union([
        "svg", "g", "defs", "symbol", "title", "desc", "tspan", "style", "linearGradient", "radialGradient", "stop",
        "clipPath",
        "mask", "pattern", "marker",
    ])

    /// Elements that are left out while what they hold is looked at: links, and choices that drawing programs wrap pictures in.
    static let transparentElements: Set<String> = ["a", "switch"]

    /// Elements in which text means something.
    static let textElements: Set<String> = ["title", "desc", "text", "tspan", "style"]

    /// Properties, as attributes and in styles. None can load anything: what refers to something may refer to this file's own parts
    /// only, see ``SVGValue``.
    static let properties: Set<String> = [
        "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin",
        "stroke-miterlimit",
        "stroke-dasharray", "stroke-dashoffset", "stroke-opacity", "opacity", "color", "display", "visibility",
        "overflow",
        "clip-path", "clip-rule", "mask", "marker", "marker-start", "marker-mid", "marker-end", "stop-color",
        "stop-opacity",
        "paint-order", "vector-effect", "mix-blend-mode", "isolation", "color-interpolation", "shape-rendering",
        "text-rendering", "image-rendering", "enable-background", "transform", "transform-origin", "font-family",
        "font-size",
        "font-style", "font-weight", "font-stretch", "font-variant", "letter-spacing", "word-spacing", "text-anchor",
        "text-decoration", "dominant-baseline", "alignment-baseline", "baseline-shift", "writing-mode", "line-height",
        "text-align", "mask-type",
    ]

    /// Attributes beside the properties that take numbers, lengths, words and lists of them.
    static let attributes: Set<String> = properties.union([
        "version", "width", "height", "viewBox", "preserveAspectRatio", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy",
        "r", "rx", "ry",
        "fx", "fy", "fr", "dx", "dy", "d", "points", "pathLength", "offset", "rotate", "textLength", "lengthAdjust",
        "gradientUnits", "gradientTransform", "spreadMethod", "clipPathUnits", "maskUnits", "maskContentUnits",
        "patternUnits",
        "patternContentUnits", "patternTransform", "markerUnits", "markerWidth", "markerHeight", "refX", "refY",
        "orient",
    ])

    /// What may be called in a value.
    static let functions: Set<String> = [
        "url", "rgb", "rgba", "hsl", "hsla", "matrix", "translate", "translatex", "translatey", "scale", "scalex",
        "scaley",
        "rotate", "skewx", "skewy",
    ]
}
