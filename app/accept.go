package app

import (
	"slices"
	"strconv"
	"strings"
)

// Accepts returns which of the offers the client likes best, by its Accept header (RFC 9110, section 12.5.1), or
// "" if it takes none. An offer is a media type or an extension: "html", "json", "text/plain".
func (r *Request) Accepts(offers ...string) string {
	values := r.Header.Values("Accept")
	header := strings.Join(values, ", ")
	if strings.TrimSpace(header) == "" {
		if len(offers) == 0 {
			return ""
		}
		return offers[0]
	}
	ranges := parseAccept(header)
	best, bestRank := "", acceptRank{}
	for _, offer := range offers {
		media := offer
		if !strings.Contains(offer, "/") {
			media = typeByExtension(offer)
			media, _, _ = strings.Cut(media, ";")
		}
		if rank := rankOffer(media, ranges); rank.quality > 0 && (best == "" || rank.better(bestRank)) {
			best, bestRank = offer, rank
		}
	}
	return best
}

// prefersJSON reports whether the client asks for JSON by name, and not for a page as well.
func (r *Request) prefersJSON() bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "json") && r.Accepts("html", "json") == "json"
}

// A mediaRange is one entry of an Accept header.
type mediaRange struct {
	media   string // lower case
	params  []string
	quality float64
	index   int
}

func parseAccept(header string) []mediaRange {
	var ranges []mediaRange
	for i, entry := range strings.Split(header, ",") {
		parts := strings.Split(entry, ";")
		m := mediaRange{media: strings.ToLower(strings.TrimSpace(parts[0])), quality: 1, index: i}
		if !strings.Contains(m.media, "/") {
			continue
		}
		for _, p := range parts[1:] {
			key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
			if strings.EqualFold(key, "q") {
				q, err := strconv.ParseFloat(value, 64)
				if err != nil {
					q = 0
				}
				m.quality = q
				break
			}
			m.params = append(m.params, strings.ToLower(key)+"="+strings.ToLower(strings.Trim(value, `"`)))
		}
		ranges = append(ranges, m)
	}
	return ranges
}

// acceptRank orders offers: quality first, then how exactly the range names the offer, then its place in the header.
type acceptRank struct {
	quality  float64
	specific int
	index    int
}

func (a acceptRank) better(b acceptRank) bool {
	switch {
	case a.quality != b.quality:
		return a.quality > b.quality
	case a.specific != b.specific:
		return a.specific > b.specific
	}
	return a.index < b.index
}

// rankOffer finds the most specific range that takes the offer; its quality counts, even if it is 0.
func rankOffer(media string, ranges []mediaRange) acceptRank {
	offered, parameters, _ := strings.Cut(media, ";")
	offered = strings.ToLower(strings.TrimSpace(offered))
	kind, _, _ := strings.Cut(offered, "/")
	var rank acceptRank
	for _, m := range ranges {
		specific := 0
		switch m.media {
		case offered:
			specific = 6
		case kind + "/*":
			specific = 4
		case "*/*":
			specific = 1
		default:
			continue
		}
		if len(m.params) > 0 {
			given := strings.Split(strings.ToLower(strings.ReplaceAll(parameters, " ", "")), ";")
			if slices.ContainsFunc(m.params, func(p string) bool { return !slices.Contains(given, p) }) {
				continue
			}
			specific++
		}
		if specific > rank.specific {
			rank = acceptRank{m.quality, specific, m.index}
		}
	}
	return rank
}
