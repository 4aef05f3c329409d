package app

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// decodeText decodes a body in a charset by its name (RFC 2978), in any case: UTF-8, -16 and -32, the charsets of one
// byte a character, and those of East Asia. Not ok for others. A byte order mark goes; what is broken becomes U+FFFD.
func decodeText(b []byte, charset string) (string, bool) {
	if charset == "utf-8" { // as almost always
		return strings.TrimPrefix(validUTF8(b), "\ufeff"), true
	}
	switch name := charsetName(charset); name {
	case "utf8", "unicode11utf8":
		return strings.TrimPrefix(validUTF8(b), "\ufeff"), true
	case "utf16", "utf16le", "utf16be", "ucs2":
		return decodeUTF16(b, name), true
	case "utf32", "utf32le", "utf32be":
		return decodeUTF32(b, name), true
	case "usascii", "ascii":
		return strings.Map(func(r rune) rune {
			if r >= 0x80 {
				return utf8.RuneError
			}
			return r
		}, latin1(b)), true
	case "iso88591", "latin1", "binary":
		return latin1(b), true
	default:
		if e := legacyEncoding(name); e != nil {
			return decodeLegacy(b, e)
		}
		for _, e := range charmap.All {
			if m, ok := e.(*charmap.Charmap); ok && charsetName(m.String()) == name {
				return decodeLegacy(b, m)
			}
		}
	}
	return "", false
}

// legacyEncoding is one of those with several bytes a character, under the names that npm's iconv-lite knows; nil if
// it is none.
func legacyEncoding(name string) encoding.Encoding {
	switch name {
	case "shiftjis", "csshiftjis", "mskanji", "sjis", "xsjis", "windows31j", "ms31j", "ms932", "windows932", "cp932":
		return japanese.ShiftJIS
	case "eucjp":
		return japanese.EUCJP
	case "gb2312", "gb231280", "csgb2312", "csiso58gb231280", "euccn", "gbk", "xgbk", "isoir58", "chinese", "ms936", "windows936", "cp936":
		return simplifiedchinese.GBK
	case "gb18030":
		return simplifiedchinese.GB18030
	case "big5", "big5hkscs", "cnbig5", "csbig5", "xxbig5", "windows950", "ms950", "cp950":
		return traditionalchinese.Big5
	case "euckr", "cseuckr", "korean", "ksc5601", "ksc56011987", "ksc56011989", "windows949", "ms949", "cp949":
		return korean.EUCKR
	}
	return nil
}

func decodeLegacy(b []byte, e encoding.Encoding) (string, bool) {
	text, err := e.NewDecoder().Bytes(b)
	return string(text), err == nil
}

// charsetName is a charset's name in the letters and digits that matter.
func charsetName(s string) string {
	s = strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
	if rest, ok := strings.CutPrefix(s, "cp125"); ok {
		return "windows125" + rest
	}
	return s
}

func latin1(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

// decodeUTF16 takes the order of bytes from the name, the mark at the start, or where the zeros of ASCII stand.
func decodeUTF16(b []byte, name string) string {
	bigEndian := name == "utf16be"
	if name == "utf16" {
		zeros := 0
		for i := 0; i+1 < min(len(b), 100); i += 2 {
			if b[i] == 0 && b[i+1] != 0 {
				zeros++
			} else if b[i] != 0 && b[i+1] == 0 {
				zeros--
			}
		}
		mark := len(b) > 1 && (b[0] == 0xfe && b[1] == 0xff || b[0] == 0xff && b[1] == 0xfe)
		bigEndian = mark && b[0] == 0xfe || !mark && zeros > 0
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		low, high := b[2*i], b[2*i+1]
		if bigEndian {
			low, high = high, low
		}
		units[i] = uint16(low) | uint16(high)<<8
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
}

func decodeUTF32(b []byte, name string) string {
	bigEndian := name == "utf32be" || name == "utf32" && len(b) > 3 && b[0] == 0 && (b[1] != 0 || b[2] != 0 || b[3] != 0)
	runes := make([]rune, len(b)/4)
	for i := range runes {
		c := b[4*i : 4*i+4]
		r := rune(c[0]) | rune(c[1])<<8 | rune(c[2])<<16 | rune(c[3])<<24
		if bigEndian {
			r = rune(c[3]) | rune(c[2])<<8 | rune(c[1])<<16 | rune(c[0])<<24
		}
		runes[i] = r
	}
	return strings.TrimPrefix(string(runes), "\ufeff")
}

func unsupportedCharset(charset string) error {
	return &HTTPError{Status: 415, Type: "charset.unsupported", Message: fmt.Sprintf("unsupported charset %q", strings.ToUpper(charset))}
}
