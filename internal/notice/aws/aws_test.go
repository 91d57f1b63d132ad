package aws_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/dropload/dropload/internal/notice"
	adapter "github.com/dropload/dropload/internal/notice/aws"
)

// TestOutcomesAreToldApart answers as SNS does: what it refused was not sent,
// what it failed at may have been, and no call is repeated.
func TestOutcomesAreToldApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code          string
		status        int
		refused, late bool
	}{
		{"InvalidParameter", http.StatusBadRequest, true, false},
		{"Throttled", http.StatusTooManyRequests, true, true},
		{"InternalError", http.StatusInternalServerError, false, false},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>"+c.code+"</Code><Message>+37061234567</Message></Error></ErrorResponse>")
			}))
			defer server.Close()
			err := sender(server.URL).Text(t.Context(), "+37061234567", "secret")
			var refused *notice.Refused
			if errors.As(err, &refused) != c.refused || c.refused && refused.Later != c.late || err == nil {
				t.Errorf("%v", err)
			}
			if calls != 1 {
				t.Errorf("%d calls", calls)
			}
			if strings.Contains(err.Error(), "370") || strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	err := sender(server.URL).Mail(t.Context(), "a@example.com", "b@example.com", "s", "t")
	var refused *notice.Refused
	if !errors.As(err, &refused) || !refused.Later {
		t.Errorf("%v", err)
	}
}

func TestTheConnectionBreaks(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer server.Close()
	if err := sender(server.URL).Text(t.Context(), "+37061234567", "t"); err == nil || errors.Is(err, notice.ErrRefused) {
		t.Errorf("%v", err)
	}
}

func sender(url string) *adapter.Sender {
	return adapter.New(aws.Config{
		Region: "us-east-1", BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	})
}
