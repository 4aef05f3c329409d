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

// decodeText decodes a body in a charset by its name (RFC 2978), in any case: UTF-8, -16 and -32, ISO 8859, KOI8, those of
// DOS, Windows and the Macintosh in package charmap, and those of East Asia. Not ok for others. A byte order mark goes; what is broken becomes U+FFFD.
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
		if m := charmapFor(name); m != nil {
			return decodeBytes(b, m), true
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

// decodeBytes decodes a charset of one byte a character. Those of ISO 8859 have control characters from 0x80 to 0x9F,
// which the tables of charmap leave out.
func decodeBytes(b []byte, m *charmap.Charmap) string {
	var s strings.Builder
	for _, c := range b {
		r := m.DecodeByte(c)
		if r == utf8.RuneError && c < 0xa0 && strings.HasPrefix(m.String(), "ISO 8859") {
			r = rune(c)
		}
		s.WriteRune(r)
	}
	return s.String()
}

// charsetName is a charset's name in the letters and digits that matter.
func charsetName(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// charmapFor is the charset of one byte a character with a name, or nil.
func charmapFor(name string) *charmap.Charmap {
	if part, ok := latinParts[name]; ok {
		name = "iso8859" + part
	}
	for _, prefix := range []string{"windows", "win", "csibm", "ibm", "cp"} {
		if number, ok := strings.CutPrefix(name, prefix); ok {
			name = number
			break
		}
	}
	for _, e := range charmap.All {
		if m, ok := e.(*charmap.Charmap); ok {
			own := charsetName(m.String())
			if own == name || own == "windows"+name || own == "ibmcodepage"+name || own == "windowscodepage"+name {
				return m
			}
		}
	}
	return nil
}

// latinParts are the parts of ISO 8859 by their other names.
var latinParts = map[string]string{
	"latin2": "2", "latin3": "3", "latin4": "4", "cyrillic": "5", "arabic": "6", "greek": "7", "hebrew": "8",
	"latin5": "9", "latin6": "10", "latin7": "13", "latin8": "14", "latin9": "15", "latin10": "16",
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
	if len(b)%4 != 0 {
		runes = append(runes, utf8.RuneError) // it ends within a character
	}
	return strings.TrimPrefix(string(runes), "\ufeff")
}

func unsupportedCharset(charset string) error {
	return &HTTPError{Status: 415, Type: "charset.unsupported", Message: fmt.Sprintf("unsupported charset %q", strings.ToUpper(charset))}
}
