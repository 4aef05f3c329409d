package app

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Accepts returns which of the offers the client likes best, by its Accept header (RFC 9110, section 12.5.1), or
// "" if it takes none. An offer is a media type or an extension: "html", "json", "text/plain".
func (r *Request) Accepts(offers ...string) string {
	if len(offers) == 0 {
		return ""
	}
	header, _ := joined(r.Header, "Accept")
	if header == "" {
		return offers[0]
	}
	types := make([]string, 0, len(offers))
	from := make([]string, 0, len(offers))
	for _, offer := range offers {
		media := offer
		if !strings.Contains(offer, "/") {
			if media = lookupType(offer); media == "" {
				continue
			}
		}
		types, from = append(types, media), append(from, offer)
	}
	if i := best(parseAccept(header, mediaPreference), types, rankMedia); i >= 0 {
		return from[slices.Index(types, types[i])]
	}
	return ""
}

// AcceptedTypes are the media types and ranges of the Accept header, the most wanted first; "*/*" without the header.
func (r *Request) AcceptedTypes() []string {
	header, ok := joined(r.Header, "Accept")
	if !ok {
		header = "*/*"
	}
	return names(parseAccept(header, mediaPreference))
}

// AcceptsEncodings returns which of the offered content codings ("gzip", "br") the client likes best, by its
// Accept-Encoding header, or "" if it takes none. It takes "identity" unless it says otherwise.
func (r *Request) AcceptsEncodings(offers ...string) string {
	return pick(r.encodings(), offers, rankToken)
}

// AcceptedEncodings are the content codings that the client takes, the most wanted first.
func (r *Request) AcceptedEncodings() []string { return names(r.encodings()) }

func (r *Request) encodings() []preference {
	header, _ := joined(r.Header, "Accept-Encoding")
	list := parseAccept(header, tokenPreference)
	identity := preference{name: "identity", quality: 1, index: strings.Count(header, ",") + 1}
	for _, p := range list {
		if rankToken("identity", p) >= 0 {
			return list
		}
		if p.quality > 0 {
			identity.quality = min(identity.quality, p.quality)
		}
	}
	return append(list, identity)
}

// AcceptsCharsets returns which of the offered charsets the client likes best, by its Accept-Charset header, or "" if
// it takes none. Without the header it takes all.
func (r *Request) AcceptsCharsets(offers ...string) string {
	return pick(r.charsets(), offers, rankToken)
}

// AcceptedCharsets are the charsets that the client takes, the most wanted first; "*" without the header.
func (r *Request) AcceptedCharsets() []string { return names(r.charsets()) }

func (r *Request) charsets() []preference {
	return parseAccept(orAny(joined(r.Header, "Accept-Charset")), tokenPreference)
}

// AcceptsLanguages returns which of the offered languages ("en", "en-US") the client likes best, by its
// Accept-Language header, or "" if it takes none. "en" is taken for "en-US" and the other way around; an exact match
// comes first. Without the header it takes all.
func (r *Request) AcceptsLanguages(offers ...string) string {
	return pick(r.languages(), offers, rankLanguage)
}

// AcceptedLanguages are the languages that the client takes, the most wanted first; "*" without the header.
func (r *Request) AcceptedLanguages() []string { return names(r.languages()) }

func (r *Request) languages() []preference {
	return parseAccept(orAny(joined(r.Header, "Accept-Language")), tokenPreference)
}

// prefersJSON reports whether the client asks for JSON by name, and not for a page as well.
func (r *Request) prefersJSON() bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && r.Accepts("html", "json") == "json"
}

// joined is a header whose lines are one list.
func joined(h http.Header, name string) (value string, ok bool) {
	switch values := h[name]; len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	default:
		return strings.Join(values, ", "), true
	}
}

func orAny(header string, ok bool) string {
	if !ok {
		return "*"
	}
	return header
}

// A preference is one entry of an Accept header or one of its kin.
type preference struct {
	name    string // a token, a language, or a media range without its parameters
	params  []mediaParam
	quality float64
	index   int // its place in the header
}

type mediaParam struct{ key, value string }

// parseAccept reads the entries of a header that have the right form, in their order.
func parseAccept(header string, read func(string) (preference, bool)) []preference {
	var list []preference
	i := 0
	for entry := range splitQuoted(header, ',') {
		if p, ok := read(strings.TrimSpace(entry)); ok {
			p.index = i
			list = append(list, p)
		}
		i++
	}
	return list
}

// mediaPreference reads type/subtype;parameters;q=0.5.
func mediaPreference(s string) (preference, bool) {
	p, ok := tokenPreference(s)
	return p, ok && strings.IndexByte(p.name, '/') >= 0
}

// tokenPreference reads token;parameters;q=0.5.
func tokenPreference(s string) (preference, bool) {
	name, rest, _ := strings.Cut(s, ";")
	p := preference{name: strings.Trim(name, " \t"), quality: 1, params: splitParams(rest)}
	for i, param := range p.params {
		if param.key == "q" {
			if param.value != "" {
				p.quality = parseQuality(param.value)
			}
			p.params = slices.Delete(p.params, i, i+1)
			break
		}
	}
	return p, p.name != ""
}

// parseQuality is JavaScript's parseFloat: as far as it goes, and NaN for what is no number. Such an entry is never
// wanted, but takes the place of an equally exact one before it.
func parseQuality(s string) float64 {
	s = strings.TrimLeft(s, " \t")
	end, dot := 0, false
	for end < len(s) && ('0' <= s[end] && s[end] <= '9' || s[end] == '.' && !dot || end == 0 && (s[end] == '-' || s[end] == '+')) {
		dot = dot || s[end] == '.'
		end++
	}
	q, err := strconv.ParseFloat(s[:end], 64)
	if err != nil {
		return math.NaN()
	}
	return q
}

// splitQuoted splits at separators that are not within double quotes.
func splitQuoted(s string, separator byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := range len(s) {
			switch s[i] {
			case '"':
				quoted = !quoted
			case separator:
				if !quoted {
					if !yield(s[start:i]) {
						return
					}
					start = i + 1
				}
			}
		}
		yield(s[start:])
	}
}

// The rank functions tell how exactly a preference names an offer: more is more exact, negative is not at all.

func rankToken(offer string, p preference) int {
	switch {
	case strings.EqualFold(offer, p.name):
		return 1
	case p.name == "*":
		return 0
	}
	return -1
}

func rankLanguage(offer string, p preference) int {
	offer, _, _ = strings.Cut(offer, ";")
	offer = strings.TrimSpace(offer)
	offered, _, _ := strings.Cut(offer, "-")
	wanted, _, _ := strings.Cut(p.name, "-")
	switch {
	case strings.EqualFold(p.name, offer):
		return 4
	case strings.EqualFold(wanted, offer):
		return 2
	case strings.EqualFold(p.name, offered):
		return 1
	case p.name == "*":
		return 0
	}
	return -1
}

func rankMedia(offer string, p preference) int {
	o, ok := mediaPreference(offer)
	if !ok {
		return -1
	}
	kind, subtype, _ := strings.Cut(o.name, "/")
	wantedKind, wantedSubtype, _ := strings.Cut(p.name, "/")
	rank := 0
	if strings.EqualFold(kind, wantedKind) {
		rank |= 4
	} else if wantedKind != "*" {
		return -1
	}
	if strings.EqualFold(subtype, wantedSubtype) {
		rank |= 2
	} else if wantedSubtype != "*" {
		return -1
	}
	for _, param := range p.params {
		if param.value != "*" && !strings.EqualFold(param.value, o.param(param.key)) {
			return -1
		}
		rank |= 1
	}
	return rank
}

func (p preference) param(key string) string {
	for _, m := range p.params {
		if m.key == key {
			return m.value
		}
	}
	return ""
}

// best is the index of the offer that the client likes best, -1 if it takes none: for each offer the most exact
// preference counts; of the offers the one with the highest quality, then the most exact, then the first named.
func best(preferences []preference, offers []string, rank func(string, preference) int) int {
	type match struct {
		exact   int
		quality float64
		index   int
	}
	found, top := -1, match{}
	for i, offer := range offers {
		m := match{index: -1}
		for _, p := range preferences {
			exact := rank(offer, p)
			if exact < 0 {
				continue
			}
			if c := cmp.Or(cmp.Compare(exact, m.exact), compareQuality(p.quality, m.quality), cmp.Compare(p.index, m.index)); c > 0 {
				m = match{exact, p.quality, p.index}
			}
		}
		if m.quality > 0 && (found < 0 || cmp.Or(cmp.Compare(m.quality, top.quality), cmp.Compare(m.exact, top.exact), cmp.Compare(top.index, m.index)) > 0) {
			found, top = i, m
		}
	}
	return found
}

// compareQuality is cmp.Compare, in which what is no number equals everything.
func compareQuality(a, b float64) int {
	if math.IsNaN(a) || math.IsNaN(b) {
		return 0
	}
	return cmp.Compare(a, b)
}

func pick(preferences []preference, offers []string, rank func(string, preference) int) string {
	if i := best(preferences, offers, rank); i >= 0 {
		return offers[i]
	}
	return ""
}

// names lists what is wanted at all, the most wanted first.
func names(preferences []preference) []string {
	preferences = slices.DeleteFunc(preferences, func(p preference) bool { return !(p.quality > 0) })
	slices.SortStableFunc(preferences, func(a, b preference) int { return cmp.Compare(b.quality, a.quality) })
	list := make([]string, len(preferences))
	for i, p := range preferences {
		list[i] = p.name
	}
	return list
}
