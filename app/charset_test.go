package app_test

import (
	"testing"

	"github.com/zocalo-go/zocalo/app"
)

// The charsets of iconv-lite, which Express decodes with, in the bytes that it writes.
func TestCharsets(t *testing.T) {
	server := app.New()
	server.Post("/", func(req *app.Request, res *app.Response) error {
		text, err := req.Text()
		if err != nil {
			return err
		}
		return res.Send(text)
	})
	for _, test := range []struct{ charset, body, want string }{
		{"Shift_JIS", "\x82\xa0\x41\xb1", "あAｱ"},
		{"windows-31j", "\x93\xfa\x96\x7b", "日本"},
		{"cp932", "\x93\xfa\x96\x7b", "日本"},
		{"EUC-JP", "\xc6\xfc\xcb\xdc", "日本"},
		{"gb2312", "\xd6\xd0\xb9\xfa", "中国"},
		{"gbk", "\x82\xa0\x41", "偁A"},
		{"gb18030", "\xd6\xd0\x81\x30\x84\x36", "中¥"},
		{"big5", "\xa4\xa4\xa4\xe5", "中文"},
		{"big5-hkscs", "\xa4\xa4\xa4\xe5", "中文"},
		{"euc-kr", "\xc7\xd1\xb1\xdb", "한글"},
		{"ks_c_5601-1987", "\xc7\xd1\xb1\xdb", "한글"},
		{"koi8-r", "\xd0\xd2", "пр"},
		{"iso-8859-15", "\xa4", "€"},
		{"iso-8859-2", "\xb1\x85", "ą\u0085"},
		{"latin2", "\xb1", "ą"},
		{"cyrillic", "\xd0", "а"},
		{"win1251", "\xe0", "а"},
		{"cp1252", "\x80", "€"},
		{"cp866", "\xa0", "а"},
		{"IBM850", "\x81", "ü"},
		{"437", "\x81", "ü"},
		{"cp858", "\xd5", "€"},
		{"utf-16le", "h\x00i\x00", "hi"},
		{"utf-32be", "\x00\x00\x00h\x00", "h\ufffd"},
		{"shift_jis", "\xff", "\ufffd"},
	} {
		w := send(server, "POST", "/", test.body, "Content-Type", "text/plain; charset="+test.charset)
		if w.Code != 200 || w.Body.String() != test.want {
			t.Errorf("%s: %d %q, want %q", test.charset, w.Code, w.Body, test.want)
		}
	}
	for _, charset := range []string{"bogus", "iso-2022-jp", "replacement", "windows"} { // as in Express
		if w := send(server, "POST", "/", "x", "Content-Type", "text/plain; charset="+charset); w.Code != 415 {
			t.Errorf("%s: %d", charset, w.Code)
		}
	}
}
