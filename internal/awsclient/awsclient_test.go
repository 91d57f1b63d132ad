package awsclient_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/dropload/dropload/internal/awsclient"
)

// TestLoad checks where the clients go, that S3's paths hold the bucket, and
// that an overloaded server is asked again.
func TestLoad(t *testing.T) {
	var mu sync.Mutex
	calls := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		name := r.Header.Get("X-Amz-Target") + r.URL.Path
		if calls[name]++; calls[name] == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte("{}"))
	}))
	defer srv.Close()
	t.Setenv("AWS_ENDPOINT_URL", srv.URL)
	t.Setenv("AWS_REGION", "eu-north-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
	clients, err := awsclient.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clients.S3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a/b")}); err != nil {
		t.Error(err)
	}
	if _, err := clients.DynamoDB.ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
		t.Error(err)
	}
	if _, err := clients.SFN.ListStateMachines(t.Context(), &sfn.ListStateMachinesInput{}); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"/bucket/a/b", "DynamoDB_20120810.ListTables/", "AWSStepFunctions.ListStateMachines/"} {
		if calls[want] != 2 {
			t.Errorf("%s: %d calls, want 2; all: %v", want, calls[want], calls)
		}
	}
	if clients.Config.Region != "eu-north-1" {
		t.Errorf("region %q", clients.Config.Region)
	}
}
