/// Runs a parser on the bytes of a text.
func parsed<Value>(_ text: String, _ parse: (UnsafeRawBufferPointer) -> Value) -> Value {
    Array(text.utf8).withUnsafeBytes(parse)
}
