//go:build e2e

package s3_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/dropload/dropload/internal/awsclient"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/object/objecttest"
	"github.com/dropload/dropload/internal/object/s3"
)

// partSize is the least that S3 takes.
const partSize = 5 << 20

// TestStore runs the contract against the engine at AWS_ENDPOINT_URL, in a
// bucket of its own.
func TestStore(t *testing.T) {
	clients, err := awsclient.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bucket := fmt.Sprintf("objecttest-%d-%d", os.Getpid(), time.Now().UnixNano())
	createBucket(t, clients, bucket)
	store := s3.New(clients.S3, bucket, s3.WithPartSize(partSize))
	objecttest.Run(t, partSize, func(*testing.T) object.Store { return store })
	t.Cleanup(func() { noUploads(t, clients.S3, bucket) })
}

func createBucket(t *testing.T, clients awsclient.Clients, bucket string) {
	t.Helper()
	in := &awss3.CreateBucketInput{Bucket: &bucket}
	if r := clients.Config.Region; r != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(r)}
	}
	if _, err := clients.S3.CreateBucket(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeBucket(t, clients.S3, bucket) })
	_, err := clients.S3.PutBucketVersioning(t.Context(), &awss3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// noUploads wants no part of any upload to be left.
func noUploads(t *testing.T, client *awss3.Client, bucket string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := client.ListMultipartUploads(ctx, &awss3.ListMultipartUploadsInput{Bucket: &bucket})
	if err != nil {
		t.Error(err)
		return
	}
	for _, u := range out.Uploads {
		t.Errorf("the upload of %s is left", aws.ToString(u.Key))
	}
}

func removeBucket(t *testing.T, client *awss3.Client, bucket string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	pages := awss3.NewListObjectVersionsPaginator(client, &awss3.ListObjectVersionsInput{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		var ids []types.ObjectIdentifier
		for _, v := range page.Versions {
			ids = append(ids, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			ids = append(ids, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(ids) == 0 {
			continue
		}
		if _, err := client.DeleteObjects(ctx, &awss3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Objects: ids}}); err != nil {
			t.Error(err)
			return
		}
	}
	if _, err := client.DeleteBucket(ctx, &awss3.DeleteBucketInput{Bucket: &bucket}); err != nil {
		t.Errorf("the bucket %s is left: %v", bucket, err)
	}
}
