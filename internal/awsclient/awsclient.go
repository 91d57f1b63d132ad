// Package awsclient makes the clients of the AWS services that Dropload uses,
// from the environment. AWS_ENDPOINT_URL, where it is set, is where they all go.
//
// They are made once in a process and shared by all its workers: each keeps its
// connections, so many that none is closed between two requests.
package awsclient

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
)

// The bounds of one request. A body of S3 may take longer: object/s3 watches it.
const (
	dialTimeout   = 5 * time.Second
	headerTimeout = 30 * time.Second // from the request's end to the answer's header
	callTimeout   = 10 * time.Second // a whole request of DynamoDB or Step Functions
	maxAttempts   = 5
	minBackoff    = 100 * time.Millisecond
	maxBackoff    = 3 * time.Second
	idlePerHost   = 128
)

// Clients are the clients of one process.
type Clients struct {
	Config   aws.Config // for clients that are not here; has the same bounds
	S3       *s3.Client
	DynamoDB *dynamodb.Client
	SFN      *sfn.Client
}

// Load makes the clients from the environment and the shared configuration;
// options take precedence over both.
func Load(ctx context.Context, options ...func(*config.LoadOptions) error) (Clients, error) {
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns = 2 * idlePerHost
			t.MaxIdleConnsPerHost = idlePerHost
			t.ResponseHeaderTimeout = headerTimeout
		})
	cfg, err := config.LoadDefaultConfig(ctx, append([]func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts, o.Backoff = maxAttempts, retry.BackoffDelayerFunc(backoff)
			})
		}),
	}, options...)...)
	if err != nil {
		return Clients{}, err
	}
	return Clients{
		Config: cfg,
		S3: s3.NewFromConfig(cfg, func(o *s3.Options) {
			// An engine on this machine has no name for each bucket.
			o.UsePathStyle = cfg.BaseEndpoint != nil
			// Ranges have no checksum, and each would leave a line in the log.
			o.DisableLogOutputChecksumValidationSkipped = true
		}),
		DynamoDB: dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
			o.HTTPClient = bounded(o.HTTPClient)
			o.DisableValidateResponseChecksum = true // TLS checks each byte; DynamoDB Local's are of other bytes
		}),
		SFN: sfn.NewFromConfig(cfg, func(o *sfn.Options) { o.HTTPClient = bounded(o.HTTPClient) }),
	}, nil
}

// backoff is the pause after so many attempts: random, at most 100 ms, 200 ms, …
// 3 s. The SDK's own begins at 2 s, which a worker with 25 writes on the way has
// no time for.
func backoff(attempt int, _ error) (time.Duration, error) {
	return rand.N(min(minBackoff<<max(0, attempt-1), maxBackoff)), nil
}

// bounded is the same client with a bound on the whole of a request.
func bounded(client aws.HTTPClient) aws.HTTPClient {
	if b, ok := client.(*awshttp.BuildableClient); ok {
		return b.WithTimeout(callTimeout)
	}
	return client
}
