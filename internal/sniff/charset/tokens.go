package charset

// Limits of the sample that the models look at. More changes no answer and
// costs time.
const (
	mostTokens = 1200
	mostBytes  = 48 << 10
	longToken  = 240
)

// token is a run of bytes between two bytes that can only be ASCII: a word, in
// some scripts a sentence, with at least one byte beyond ASCII.
type token struct {
	bytes  []byte
	weight float64
	// cut says that the run went on, so that a character may lack its end.
	cut bool
}

// inner tells whether b may be a part of a character of several bytes or of a
// word. No multi-byte encoding uses the others in second place, so they are
// safe to cut at whatever the encoding is.
func inner(b byte) bool {
	return b >= '0' && b <= '9' || b >= '@' && b <= '~' || b >= 0x80
}

// tokens collects the distinct tokens. A csv repeats itself (a town, a status),
// so a token weighs with the logarithm of its count.
func tokens(head []byte, complete bool) []token {
	var (
		list  []token
		seen  = map[string]int{}
		total int
	)
	for i := 0; i < len(head); {
		start, high := i, false
		for i < len(head) && inner(head[i]) {
			high = high || head[i] >= 0x80
			i++
		}
		run := head[start:i]
		atEnd := i == len(head) && !complete
		i++
		if !high {
			continue
		}
		t := token{bytes: run, weight: 1, cut: atEnd}
		if len(run) > longToken {
			t.bytes, t.cut = run[:longToken], true
		}
		if k, ok := seen[string(t.bytes)]; ok {
			list[k].weight++
			continue
		}
		if len(list) == mostTokens || total > mostBytes {
			break
		}
		seen[string(t.bytes)] = len(list)
		list = append(list, t)
		total += len(t.bytes)
	}
	for i := range list {
		list[i].weight = 1 + logOf(list[i].weight)
	}
	return list
}
