/** The page that the `type` of each problem leads to. */
export const problemsPage = {
  title: 'Problems of this service',
  introduction:
    'The `type` of each error links to this page. Programs should compare its `code`. Its `title` and `detail` can be shown to people. Use its `request_id` to find the request in the log.',
}
