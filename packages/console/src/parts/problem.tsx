/** What went wrong, where something did. */
export function Problem({ text }: { readonly text: string | undefined }): React.JSX.Element | null {
  return text === undefined ? null : (
    <p className="problem" role="alert">
      {text}
    </p>
  );
}
